import { createHash } from "node:crypto";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import { fingerprint, generateKeyPair } from "../../../src/ssh/keys.ts";

describe("generateKeyPair", () => {
  test("gives an authorized_keys line that ends in the comment, and its private half", async () => {
    const pair = await generateKeyPair("builder-noble-x64");
    expect(pair.publicKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+ builder-noble-x64$/);
    expect(pair.privateKey).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    const parsed = ssh2.utils.parseKey(pair.privateKey);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.getPublicSSH().toString("base64")).toBe(pair.publicKey.split(" ")[1]);
  });

  test("gives another pair each time", async () => {
    const [one, two] = await Promise.all([generateKeyPair("c"), generateKeyPair("c")]);
    expect(one.publicKey).not.toBe(two.publicKey);
  });
});

describe("fingerprint", () => {
  test("is ssh-keygen's: SHA-256 in base64 without padding", () => {
    // key and print of `ssh-keygen -lf`, from github.com's published host keys
    const blob = Buffer.from(
      "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
      "base64",
    );
    expect(fingerprint(blob)).toBe("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    expect(createHash("sha256").update(blob).digest("base64")).toMatch(/=$/);
  });
});
