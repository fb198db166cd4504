import { createHash } from "node:crypto";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import { fingerprint, generateKeyPair, isWhole } from "../../../src/ssh/keys.ts";

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

describe("a pair as ssh2 makes one in 250, short of a leading zero byte", () => {
  test("is not whole", () => {
    const short = {
      private: [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMgAAAAtz",
        "c2gtZWQyNTUxOQAAAB/qFzp/iAVTe9QQtipJotLuYHnZ3w4lJP7qaKsk81zTAAAA",
        "iIdzImGHcyJhAAAAC3NzaC1lZDI1NTE5AAAAH+oXOn+IBVN71BC2Kkmi0u5gednf",
        "DiUk/upoqyTzXNMAAAA/ZZnNN4UB/CJqiPEYdD1r60yDJ/0nqvdHg025bmoyeFnq",
        "Fzp/iAVTe9QQtipJotLuYHnZ3w4lJP7qaKsk81zTAAAAAXgBAgMEBQY=",
        "-----END OPENSSH PRIVATE KEY-----",
        "",
      ].join("\n"),
      public: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAH+oXOn+IBVN71BC2Kkmi0u5gednfDiUk/upoqyTzXNM= x",
    };
    expect(isWhole(ssh2, short)).toBe(false);
  });

  test("is never given away", async () => {
    const lengths = new Set<number>();
    for (let made = 0; made < 1000; made += 1) {
      const { publicKey } = await generateKeyPair("c");
      lengths.add(Buffer.from(publicKey.split(" ")[1] ?? "", "base64").length);
    }
    expect([...lengths]).toEqual([51]);
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
