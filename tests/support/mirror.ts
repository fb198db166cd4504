/** Loopback HTTP that stands for Ubuntu's image mirror, the runner's release pages and a script's server. */
import { createHash, type Hash, randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const MIB = 1024 * 1024;

/** A file of `sizeBytes` bytes, all copies of one random piece of at most a mebibyte: any size, little memory. */
export interface MirrorFile {
  readonly sizeBytes: number;
  readonly hash: (algorithm: "sha256" | "sha512") => string;
  readonly data: () => Iterable<Uint8Array>;
}

/** A random file. */
export function randomFile(sizeBytes: number): MirrorFile {
  const piece = randomBytes(Math.min(sizeBytes, MIB));
  const data = function* (): Iterable<Uint8Array> {
    for (let left = sizeBytes; left > 0; left -= piece.length)
      yield piece.subarray(0, Math.min(left, piece.length));
  };
  const hash = (algorithm: string): string => {
    const digest: Hash = createHash(algorithm);
    for (const chunk of data()) digest.update(chunk);
    return digest.digest("hex");
  };
  return { sizeBytes, hash, data };
}

/** What a path answers. */
export type Answer =
  | { readonly file: MirrorFile }
  | { readonly text: string }
  | { readonly redirect: string }
  /** Sends the first half and then nothing more; `onStall` is told. */
  | { readonly stalls: MirrorFile; readonly onStall: () => void };

/** A running mirror; dispose of it. Every path answers 404 until something is put there. */
export interface Mirror extends AsyncDisposable {
  readonly url: string;
  /** Base URL for the option base-image-mirror. */
  readonly images: string;
  /** Base URL for the option runner-mirror. */
  readonly runner: string;
  readonly put: (path: string, answer: Answer) => void;
  /** Offers `file` as the present image of `base` on amd64; gives it back. */
  readonly putImage: (base: string, file: MirrorFile) => MirrorFile;
  /** How often `path` was asked for. */
  readonly requests: (path: string) => number;
}

/** The mirror's path of a base image. */
export const imagePath = (base: string): string =>
  `/images/${base}/current/${base}-server-cloudimg-amd64.img`;
/** The mirror's path of a base's checksums. */
export const sumsPath = (base: string): string => `/images/${base}/current/SHA256SUMS`;

/** Starts a mirror whose newest runner is 2.333.1. */
export async function startMirror(): Promise<Mirror> {
  const answers = new Map<string, Answer>();
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    seen.set(path, (seen.get(path) ?? 0) + 1);
    void reply(answers.get(path), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  answers.set("/runner/latest", { redirect: `${url}/runner/tag/v2.333.1` });
  return {
    url,
    images: `${url}/images`,
    runner: `${url}/runner`,
    put: (path, answer) => void answers.set(path, answer),
    putImage(base, file) {
      answers.set(imagePath(base), { file });
      answers.set(sumsPath(base), { text: `${file.hash("sha256")} *${base}-server-cloudimg-amd64.img\n` });
      return file;
    },
    requests: (path) => seen.get(path) ?? 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function reply(answer: Answer | undefined, response: ServerResponse): Promise<void> {
  if (answer === undefined) {
    response.writeHead(404).end("not here\n");
  } else if ("text" in answer) {
    response.end(answer.text);
  } else if ("redirect" in answer) {
    response.writeHead(302, { location: answer.redirect }).end();
  } else if ("stalls" in answer) {
    const { stalls, onStall } = answer;
    response.writeHead(200, { "content-length": stalls.sizeBytes });
    const [first] = stalls.data();
    response.write((first ?? Buffer.alloc(0)).subarray(0, stalls.sizeBytes / 2), () => onStall());
  } else {
    response.writeHead(200, { "content-length": answer.file.sizeBytes });
    try {
      await pipeline(Readable.from(answer.file.data()), response);
    } catch {
      // the client went away, which it may
      response.destroy();
    }
  }
}
