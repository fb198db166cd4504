import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { locateBaseImage } from "../../../src/build/base-images.ts";
import { YQ_VERSION } from "../../../src/build/cloud-init/user-data.ts";
import { resolveRunnerVersion } from "../../../src/build/steps/runner-version.ts";
import { startHttpServer, type HttpServer } from "../../support/http-server.ts";
import { serveFolder } from "../../support/serve-folder.ts";
import { newSigner, type Signer } from "../../support/signer.ts";

const FILL = fileURLToPath(new URL("../../../examples/offline-mirror/fill.sh", import.meta.url));
const never = new AbortController().signal;
const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");
const IMAGE = "an image";
const RUNNER = "a runner";
const YQ = `/yq/download/v${YQ_VERSION}`;

describe("the example's script", () => {
  let signer: Signer;
  beforeAll(async () => {
    signer = await newSigner();
  });

  /** What the script fetches from, where `changes` does not say otherwise. */
  const internet = async (changes: Parameters<typeof startHttpServer>[0] = {}): Promise<HttpServer> => {
    const sums = `${sha256("other")} *noble-server-cloudimg-arm64.img\n${sha256(IMAGE)} *noble-server-cloudimg-amd64.img\n`;
    return await startHttpServer({
      "/images/noble/current/SHA256SUMS": sums,
      "/images/noble/current/SHA256SUMS.gpg": await signer.sign(sums),
      "/images/noble/current/unpacked/build-info.txt": "serial=20261120\n",
      "/images/noble/current/noble-server-cloudimg-amd64.img": IMAGE,
      "/runner/latest": (_request, response) =>
        response.writeHead(302, { location: "/runner/tag/v2.333.1" }).end(),
      "/runner/download/v2.333.1/actions-runner-linux-x64-2.333.1.tar.gz": RUNNER,
      [`${YQ}/checksums`]: "yq_linux_amd64 00 11\n",
      [`${YQ}/checksums_hashes_order`]: "MD5\nSHA-256\n",
      [`${YQ}/yq_linux_amd64`]: "yq",
      ...changes,
    });
  };
  const fill = async (folder: string, { url }: HttpServer): Promise<{ readonly stderr: string }> =>
    await promisify(execFile)("sh", [FILL, folder], {
      env: {
        PATH: process.env["PATH"],
        IMAGES_URL: `${url}/images`,
        RUNNER_URL: `${url}/runner`,
        YQ_URL: `${url}/yq`,
      },
    });

  test("makes a tree that the product takes for its mirrors when a plain web server serves it", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "mirror-"));
    await using source = await internet();
    await fill(folder.path, source);
    await using mirror = await serveFolder(folder.path);
    const from = { baseImageMirror: `${mirror.url}/images`, baseImageSerial: "", requireSignature: true };
    const image = await locateBaseImage(from, { base: "noble", arch: "x64" }, signer.publicKey, never);
    expect(image).toMatchObject({ sha256: sha256(IMAGE), serial: "20261120", isSigned: true });
    expect(await (await fetch(image.url)).text()).toBe(IMAGE);

    const version = await resolveRunnerVersion("latest", `${mirror.url}/runner`, never);
    expect(version).toBe("2.333.1");
    const runner = `${mirror.url}/runner/download/v${version}/actions-runner-linux-x64-${version}.tar.gz`;
    expect(await (await fetch(runner)).text()).toBe(RUNNER);
    expect((await (await fetch(`${runner}.sha256`)).text()).trim()).toBe(sha256(RUNNER));
    for (const file of ["checksums", "checksums_hashes_order", "yq_linux_amd64"])
      expect((await fetch(`${mirror.url}${YQ}/${file}`)).status).toBe(200);
  });

  test("fetches large files once, and one that is broken again", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "mirror-"));
    await using source = await internet();
    const image = "/images/noble/current/noble-server-cloudimg-amd64.img";
    const fetched = (): number => source.paths.filter((path) => path === image).length;
    await fill(folder.path, source);
    await fill(folder.path, source);
    expect(fetched()).toBe(1);
    await writeFile(join(folder.path, image), "half");
    await fill(folder.path, source);
    expect(fetched()).toBe(2);
    expect(await readFile(join(folder.path, image), "utf8")).toBe(IMAGE);
  });

  test("refuses an image that is not the one that its list names", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "mirror-"));
    await using source = await internet({
      "/images/noble/current/noble-server-cloudimg-amd64.img": "another image",
    });
    await expect(fill(folder.path, source)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("does not have the SHA-256 that SHA256SUMS names"),
    });
  });

  test("brings the release of yq that images get", async () => {
    expect(await readFile(FILL, "utf8")).toContain(`\nyq_version=${YQ_VERSION}\n`);
  });
});
