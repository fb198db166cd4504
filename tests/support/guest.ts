/** A stand-in for the builder's guest: a real SSH server that answers the pipeline's guest scripts. */
import { readFile } from "node:fs/promises";
import ssh2 from "ssh2";
import { connect, type Communicator, type SshTarget } from "../../src/ssh/communicator.ts";
import { GUEST_OUTPUT } from "./guest-contents.ts";
import { type CommandReply, type SshServer, startSshServer } from "./ssh-server.ts";

/** How cloud-init ends in the guest. */
export type CloudInit =
  | "done"
  | { readonly failedSection: string; readonly log: readonly string[] }
  | { readonly errors: readonly string[] }
  | "never ends";

/** What happens in the guest; what is absent goes well. */
export interface GuestPlan {
  readonly cloudInit?: CloudInit;
  /** The operator's script, as the guest got it, with its secrets by name. */
  readonly onScript?: (script: string, secrets: Readonly<Record<string, string>>) => CommandReply;
  /** Awaited while cloud-init "runs", before it ends; with what it gives, when it gives something. */
  readonly duringCloudInit?: () => Promise<CommandReply | undefined>;
  /** What the log-in is refused with at first: so many attempts find nobody listening. */
  readonly refusedLogins?: number;
  /** What the kernel calls the boot that the guest is in. */
  readonly bootId?: () => string;
}

/** The stand-in; dispose of it. */
export interface Guest extends AsyncDisposable {
  /** Takes the place of the SSH client's `connect`: dials the stand-in, whatever the target's address is. */
  readonly connect: (target: SshTarget, signal: AbortSignal) => Promise<Communicator>;
  /** What was run in it, in order: `follow`, `put script`, `put secrets`, `run-script`, `clean`. */
  readonly ran: readonly string[];
}

/** Nobody listens at the discard port of the loopback interface. */
const CLOSED_PORT = 9;
const READ_BOOT_ID = "cat /proc/sys/kernel/random/boot_id";
const SCRIPTS = ["follow", "run-script", "manifest", "clean"] as const;
const PUT_PROXY = /^sudo sh -c 'umask 077; mkdir -p \/run\/image-builder; cat > \S*\/proxy\.env\.part; mv /;
const PUT = /^sudo sh -c 'umask 077; mkdir -p (\S+); cat > \1\/(script|secrets)'$/;

/** Starts a guest in which the user-data of build `buildId` ran. */
export async function startGuest(buildId: string, plan: GuestPlan = {}): Promise<Guest> {
  const texts = new Map<string, string>();
  for (const name of SCRIPTS) {
    texts.set(await readFile(new URL(`../../src/build/guest/${name}.sh`, import.meta.url), "utf8"), name);
  }
  const servers = new Map<string, Promise<SshServer>>();
  const files = new Map<string, string>();
  const ran: string[] = [];
  let refusals = plan.refusedLogins ?? 0;

  const answer = async (command: string, stdin: string): Promise<CommandReply> => {
    if (command === READ_BOOT_ID) return { stdout: [`${plan.bootId?.() ?? "one boot"}\n`], exitCode: 0 };
    if (PUT_PROXY.test(command)) {
      ran.push("put proxy");
      return { exitCode: 0 };
    }
    const [, , put] = PUT.exec(command) ?? [];
    if (put !== undefined) {
      ran.push(`put ${put}`);
      files.set(put, stdin);
      return { exitCode: 0 };
    }
    const name = command === "sudo bash -s" ? texts.get(stdin) : undefined;
    if (name === undefined) return { stderr: [`the guest does not know: ${command}\n`], exitCode: 127 };
    ran.push(name);
    if (name === "clean") return { stderr: ["+ sync\n"], exitCode: 0 };
    if (name === "manifest") return { stdout: [GUEST_OUTPUT], exitCode: 0 };
    if (name === "run-script") {
      return plan.onScript?.(files.get("script") ?? "", secretsOf(files.get("secrets"))) ?? { exitCode: 0 };
    }
    const early = await plan.duringCloudInit?.();
    return early ?? follow(plan.cloudInit ?? "done", buildId);
  };
  const serverFor = async (privateKey: string): Promise<SshServer> => {
    const parsed = ssh2.utils.parseKey(privateKey);
    if (parsed instanceof Error) throw parsed;
    const authorizedKey = `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
    return await startSshServer({ authorizedKey, onCommand: answer });
  };
  return {
    ran,
    async connect(target, signal) {
      if (refusals > 0) {
        refusals -= 1;
        return await connect({ ...target, host: "127.0.0.1", port: CLOSED_PORT }, signal);
      }
      // one guest per image, and each image has a key of its own
      const starting = servers.get(target.privateKey) ?? serverFor(target.privateKey);
      servers.set(target.privateKey, starting);
      return await connect({ ...target, host: "127.0.0.1", port: (await starting).port }, signal);
    },
    async [Symbol.asyncDispose]() {
      for (const starting of servers.values()) await (await starting)[Symbol.asyncDispose]();
    },
  };
}

function follow(cloudInit: CloudInit, buildId: string): CommandReply {
  const end = (failed: string, done: string, errors: readonly string[]): CommandReply => ({
    stdout: [
      ...(typeof cloudInit === "object" && "log" in cloudInit ? cloudInit.log : []).map(
        (line) => `${line}\n`,
      ),
      `failed=${failed}\ndone=${done}\n`,
      `result=${JSON.stringify({ v1: { datasource: "DataSourceConfigDrive", errors } })}\n`,
    ],
    exitCode: 0,
  });
  if (cloudInit === "never ends") return { stdout: ["== section packages\n"], hang: true };
  if (cloudInit === "done") return end("", buildId, []);
  if ("errors" in cloudInit) return end("", buildId, cloudInit.errors);
  return end(cloudInit.failedSection, "", []);
}

function secretsOf(pairs: string | undefined): Record<string, string> {
  return Object.fromEntries(
    (pairs ?? "")
      .split("\0")
      .filter((pair) => pair !== "")
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  ) as Record<string, string>;
}
