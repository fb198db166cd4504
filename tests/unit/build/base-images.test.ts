import { createHash } from "node:crypto";
import { mkdtempDisposable, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { downloadBaseImage } from "../../../src/build/base-images/download.ts";
import { type ImageSource, locateBaseImage } from "../../../src/build/base-images.ts";
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

  test("reads no list that is larger than any", async () => {
    await using mirror = await startHttpServer({ "/noble/current/SHA256SUMS": Buffer.alloc(2 << 20, "x") });
    await expect(
      locateBaseImage(source(mirror.url), { base: "noble", arch: "x64" }, noKey, never),
    ).rejects.toThrow(
      `base-image-mirror: ${mirror.url}/noble/current/SHA256SUMS is larger than 1048576 bytes`,
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

  /** A mirror that sends `perReply` bytes of the file and breaks off, `breaks` times; `isRanged`: it goes on where it is asked to. */
  const brittle = async (
    perReply: number,
    isRanged: boolean,
    breaks = Infinity,
    mayBreak: () => Promise<unknown> = async () => {},
  ) => {
    const ranges: string[] = [];
    const server = await startHttpServer({
      "/image": (request, response) => {
        const range = request.headers.range ?? "";
        ranges.push(range);
        const start = isRanged ? Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0) : 0;
        if (start >= content.length) return void response.writeHead(416).end();
        response.writeHead(start === 0 ? 200 : 206, {
          "content-length": content.length - start,
          ...(start === 0
            ? {}
            : { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
        });
        const end = ranges.length > breaks ? content.length : start + perReply;
        response.write(content.subarray(start, end), () => {
          if (end < content.length) void mayBreak().finally(() => response.destroy());
          else response.end();
        });
      },
    });
    return { server, ranges, url: `${server.url}/image` };
  };

  test("goes on where the mirror broke off", async () => {
    await using target = await folder();
    const { server, ranges, url } = await brittle(100_000, true, 1, async () => {
      // what was not yet written when the connection breaks is asked for again
      const size = async (): Promise<number> => (await stat(join(target.path, `${sha256}.part`))).size;
      await vi.waitUntil(async () => (await size().catch(() => 0)) > 0, { timeout: 10_000 });
    });
    await using _server = server;
    const path = await downloadBaseImage({ url, sha256 }, target.path, () => {}, never);
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(ranges[0]).toBe("");
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await readdir(target.path)).toEqual([`${sha256}.img`]);
  });

  test("begins anew with a mirror that knows no ranges", async () => {
    await using target = await folder();
    await writeFile(join(target.path, `${sha256}.part`), content.subarray(0, 1000));
    const { server, ranges, url } = await brittle(content.length, false);
    await using _server = server;
    const path = await downloadBaseImage({ url, sha256 }, target.path, () => {}, never);
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(ranges).toEqual(["bytes=1000-"]);
  });

  test("names the file when the mirror breaks off again and again, and keeps what came for the next build", async () => {
    await using target = await folder();
    const { server, url } = await brittle(1000, true);
    await using _server = server;
    await expect(downloadBaseImage({ url, sha256 }, target.path, () => {}, never)).rejects.toThrow(
      `base-image-mirror: the download of ${url} broke off`,
    );
    expect(await readdir(target.path)).toEqual([`${sha256}.part`]);
  }, 30_000);

  test("takes a file that was complete before", async () => {
    await using target = await folder();
    await writeFile(join(target.path, `${sha256}.part`), content);
    const { server, url } = await brittle(content.length, true);
    await using _server = server;
    const path = await downloadBaseImage({ url, sha256 }, target.path, () => {}, never);
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  test("begins anew after a part of something else that is longer", async () => {
    await using target = await folder();
    await writeFile(join(target.path, `${sha256}.part`), Buffer.alloc(content.length + 5));
    const { server, url } = await brittle(content.length, true);
    await using _server = server;
    const path = await downloadBaseImage({ url, sha256 }, target.path, () => {}, never);
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  test("forgets parts that nobody came back to for a day, and no others", async () => {
    await using target = await folder();
    for (const [name, age] of [
      ["old.part", 25],
      ["new.part", 23],
      ["note.txt", 25],
    ] as const) {
      const path = join(target.path, name);
      await writeFile(path, "");
      const at = Date.now() / 1000 - age * 3600;
      await utimes(path, at, at);
    }
    const { server, url } = await brittle(content.length, true);
    await using _server = server;
    await downloadBaseImage({ url, sha256 }, target.path, () => {}, never);
    expect((await readdir(target.path)).toSorted()).toEqual(
      [`${sha256}.img`, "new.part", "note.txt"].toSorted(),
    );
  });

  test("refuses a file that is larger than any image, before it comes, and leaves nothing", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({
      "/image": (_request, response) => {
        response.writeHead(200, { "content-length": 17 * 2 ** 30 });
        response.write("x");
      },
    });
    const url = `${mirror.url}/image`;
    await expect(downloadBaseImage({ url, sha256 }, target.path, () => {}, never)).rejects.toThrow(
      `base-image-mirror: ${url} is larger than 16 GiB`,
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

  test("ends with the reason of a cancel in mid-download", async () => {
    await using target = await folder();
    await using mirror = await startHttpServer({
      "/image": (_request, response) => void response.write(content),
    });
    const cancel = new AbortController();
    const reason = new Error("enough");
    const image = { url: `${mirror.url}/image`, sha256 };
    const work = downloadBaseImage(image, target.path, () => cancel.abort(reason), cancel.signal);
    await expect(work).rejects.toBe(reason);
  });
});
