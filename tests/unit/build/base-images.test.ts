import { createHash } from "node:crypto";
import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { downloadBaseImage, type ImageSource, locateBaseImage } from "../../../src/build/base-images.ts";
import { deadUrl, startHttpServer } from "../../support/http-server.ts";

const never = new AbortController().signal;
const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), "images-"));
const content = Buffer.alloc(300_000, "ubuntu");
const sha256 = createHash("sha256").update(content).digest("hex");
const other = "0".repeat(64);

const source = (baseImageMirror: string): ImageSource => ({
  baseImageMirror,
  baseImageSerial: "",
  requireSignature: false,
});
const noKey = "no key";

describe("locateBaseImage", () => {
  test("finds the image of a release and architecture in the mirror's list", async () => {
    const sums = [
      `${other} *noble-server-cloudimg-amd64.tar.gz`,
      `${other} *noble-server-cloudimg-arm64.img`,
      `${sha256} *noble-server-cloudimg-amd64.img`,
      "",
    ].join("\n");
    await using mirror = await startHttpServer({ "/noble/current/SHA256SUMS": sums });
    expect(
      await locateBaseImage(source(`${mirror.url}//`), { base: "noble", arch: "x64" }, noKey, never),
    ).toEqual({
      url: `${mirror.url}/noble/current/noble-server-cloudimg-amd64.img`,
      sha256,
      serial: null,
      isSigned: false,
    });
  });

  test("tells the serial of the current image", async () => {
    await using mirror = await startHttpServer({
      "/noble/current/SHA256SUMS": `${sha256} *noble-server-cloudimg-amd64.img\n`,
      "/noble/current/unpacked/build-info.txt": "orig_prefix=x\nserial=20260321\n",
    });
    const spec = { base: "noble", arch: "x64" } as const;
    expect((await locateBaseImage(source(mirror.url), spec, noKey, never)).serial).toBe("20260321");
  });

  test("takes a pinned serial from the daily images, and from the releases once it is gone there", async () => {
    const spec = { base: "noble", arch: "arm64" } as const;
    const kept = "/releases/noble/release-20260321";
    const routes: Record<string, string> = {
      "/noble/20260321/SHA256SUMS": `${sha256} *noble-server-cloudimg-arm64.img\n`,
      [`${kept}/SHA256SUMS`]: [
        `${other} *ubuntu-24.04-server-cloudimg-amd64.img`,
        `${sha256} *ubuntu-24.04-server-cloudimg-arm64.img`,
      ].join("\n"),
    };
    await using mirror = await startHttpServer(routes);
    const pinned = { ...source(mirror.url), baseImageSerial: "20260321" };
    expect(await locateBaseImage(pinned, spec, noKey, never)).toMatchObject({
      url: `${mirror.url}/noble/20260321/noble-server-cloudimg-arm64.img`,
      serial: "20260321",
    });
    delete routes["/noble/20260321/SHA256SUMS"];
    expect(await locateBaseImage(pinned, spec, noKey, never)).toMatchObject({
      url: `${mirror.url}${kept}/ubuntu-24.04-server-cloudimg-arm64.img`,
      sha256,
      serial: "20260321",
    });
    delete routes[`${kept}/SHA256SUMS`];
    await expect(locateBaseImage(pinned, spec, noKey, never)).rejects.toThrow(
      `base-image-serial: ${mirror.url} has no noble of 20260321, neither in ${mirror.url}/noble/20260321 nor in ${mirror.url}${kept}`,
    );
  });

  test.each([
    ["x64", "amd64"],
    ["arm64", "arm64"],
    ["s390x", "s390x"],
    ["ppc64le", "ppc64el"],
    ["arm", "arm64"],
  ] as const)("takes for %s the mirror's %s", async (arch, name) => {
    const sums = `${sha256}  jammy-server-cloudimg-${name}.img\r\n`;
    await using mirror = await startHttpServer({ "/jammy/current/SHA256SUMS": sums });
    const { url } = await locateBaseImage(source(mirror.url), { base: "jammy", arch }, noKey, never);
    expect(url.endsWith(`/jammy-server-cloudimg-${name}.img`)).toBe(true);
  });

  test("says that the mirror does not list the image", async () => {
    await using mirror = await startHttpServer({ "/focal/current/SHA256SUMS": "not a list\n" });
    await expect(
      locateBaseImage(source(mirror.url), { base: "focal", arch: "x64" }, noKey, never),
    ).rejects.toThrow(
      `base-image-mirror: ${mirror.url}/focal/current/SHA256SUMS does not list focal-server-cloudimg-amd64.img`,
    );
  });

  test("says that the mirror does not have the release", async () => {
    await using mirror = await startHttpServer({});
    await expect(
      locateBaseImage(source(mirror.url), { base: "noble", arch: "x64" }, noKey, never),
    ).rejects.toThrow(`base-image-mirror: ${mirror.url}/noble/current/SHA256SUMS answers HTTP 404`);
  });

  test("says that the mirror cannot be reached", async () => {
    const url = await deadUrl();
    await expect(locateBaseImage(source(url), { base: "noble", arch: "x64" }, noKey, never)).rejects.toThrow(
      `base-image-mirror: cannot reach ${url}/noble/current/SHA256SUMS`,
    );
  });
});

describe("downloadBaseImage", () => {
  test("gives the file when its checksum is right, and tells how far it is", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({
      "/image": (_request, response) => response.setHeader("content-length", content.length).end(content),
    });
    const progress: (readonly [number, number])[] = [];
    const path = await downloadBaseImage(
      { url: `${mirror.url}/image`, sha256 },
      join(target.path, "new"),
      (done, total) => progress.push([done, total]),
      never,
    );
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(progress.at(-1)).toEqual([content.length, content.length]);
  });

  test("refuses a file with another checksum, says both, and leaves nothing", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({ "/image": content });
    const url = `${mirror.url}/image`;
    await expect(downloadBaseImage({ url, sha256: other }, target.path, () => {}, never)).rejects.toThrow(
      `base-image-mirror: the checksum of ${url} does not match: SHA256SUMS says ${other}, the file has ${sha256}`,
    );
    expect(await readdir(target.path)).toEqual([]);
  });

  test("names the file when the mirror breaks off in the middle, and leaves nothing", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({
      "/image": (_request, response) => {
        response.setHeader("content-length", content.length).write(content.subarray(0, 100_000), () => {
          response.destroy();
        });
      },
    });
    const url = `${mirror.url}/image`;
    await expect(downloadBaseImage({ url, sha256 }, target.path, () => {}, never)).rejects.toThrow(
      `base-image-mirror: the download of ${url} broke off`,
    );
    expect(await readdir(target.path)).toEqual([]);
  });

  test("says that the mirror does not have the file", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({});
    const url = `${mirror.url}/image`;
    await expect(downloadBaseImage({ url, sha256 }, target.path, () => {}, never)).rejects.toThrow(
      `base-image-mirror: ${url} answers HTTP 404`,
    );
    expect(await readdir(target.path)).toEqual([]);
  });

  test("ends with the reason of a cancel in mid-download, and leaves nothing", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({
      "/image": (_request, response) => void response.write(content),
    });
    const cancel = new AbortController();
    const reason = new Error("enough");
    const image = { url: `${mirror.url}/image`, sha256 };
    const work = downloadBaseImage(image, target.path, () => cancel.abort(reason), cancel.signal);
    await expect(work).rejects.toBe(reason);
    expect(await readdir(target.path)).toEqual([]);
  });
});
