/** Hook commands about what the unit has: network, ports, state, storage, resources (juju-rules 3.2). */
import { toList, toObject, toOptionalText, toText, toTexts } from "../decode.ts";
import { requireVersion, runJson, type HookTool } from "../hook-tool.ts";
import { relationKey, type RelationRef } from "../context.ts";
import { HookCommandError } from "../errors.ts";
import { settingsFile } from "../settings-file.ts";

/** Addresses of the unit in the space of one binding. */
export interface NetworkInfo {
  readonly bindAddresses: readonly string[];
  readonly ingressAddresses: readonly string[];
  readonly egressSubnets: readonly string[];
}

/** Addresses for an endpoint or extra binding; HookCommandError `network-not-found` for an unknown one. */
export async function networkGet(
  tool: HookTool,
  binding: string,
  relation?: RelationRef,
): Promise<NetworkInfo> {
  const flags = relation === undefined ? [] : ["-r", relationKey(relation)];
  const info = toObject(await runJson(tool, "network-get", [...flags, "--", binding]), "network-get");
  const interfaces = Array.isArray(info["bind-addresses"]) ? (info["bind-addresses"] as unknown[]) : [];
  return {
    bindAddresses: interfaces.flatMap((entry) => {
      const { addresses } = toObject(entry, "network-get") as { addresses?: unknown };
      if (!Array.isArray(addresses)) return [];
      return addresses.map((address: unknown) =>
        toText(toObject(address, "network-get")["value"], "network-get"),
      );
    }),
    ingressAddresses: toList(info["ingress-addresses"] ?? null, "network-get"),
    egressSubnets: toList(info["egress-subnets"] ?? null, "network-get"),
  };
}

/** A port or range as Juju writes it: `80/tcp`, `8000-8010/udp`, `icmp`. */
export type Port = `${number}/${"tcp" | "udp"}` | `${number}-${number}/${"tcp" | "udp"}` | "icmp";

/** Opens a port when the hook commits, for all endpoints or some; opening it again does nothing, an overlap is refused. */
export async function openPort(tool: HookTool, port: Port, endpoints: readonly string[] = []): Promise<void> {
  await tool.run("open-port", [...endpointFlags(tool, endpoints), "--", port]);
}

/** Closes a port when the hook commits, for all endpoints or some. */
export async function closePort(
  tool: HookTool,
  port: Port,
  endpoints: readonly string[] = [],
): Promise<void> {
  await tool.run("close-port", [...endpointFlags(tool, endpoints), "--", port]);
}

function endpointFlags(tool: HookTool, endpoints: readonly string[]): readonly string[] {
  if (endpoints.length === 0) return [];
  requireVersion(tool, "2.9", "ports of single endpoints");
  return ["--endpoints", endpoints.join(",")];
}

/** The unit's address as other machines of the model (`private`) or the world (`public`) see it; networkGet tells more. */
export async function unitGet(tool: HookTool, address: "private" | "public"): Promise<string> {
  return toText(await runJson(tool, "unit-get", ["--", `${address}-address`]), "unit-get");
}

/** The ports that are open, this hook's own changes included. */
export async function openedPorts(tool: HookTool): Promise<readonly string[]> {
  return toList(await runJson(tool, "opened-ports", []), "opened-ports");
}

/** First Juju that keeps a charm's state. */
const FIRST_STATE = "2.8";

/** The charm's state as the controller keeps it; `null` of an empty state is an empty one. */
export async function stateGetAll(tool: HookTool): Promise<Readonly<Record<string, string>>> {
  requireVersion(tool, FIRST_STATE, "the charm's state");
  return toTexts(await runJson(tool, "state-get", []), "state-get");
}

/** One value of the charm's state, `null` when the key is not there (an empty text is a value). */
export async function stateGet(tool: HookTool, key: string): Promise<string | null> {
  requireVersion(tool, FIRST_STATE, "the charm's state");
  try {
    return toText(await runJson(tool, "state-get", ["--strict", "--", key]), "state-get");
  } catch (error) {
    if (error instanceof HookCommandError && error.stderr.includes("not found")) return null;
    throw error;
  }
}

/** Adds to the charm's state when the hook commits; a key has at most 256 bytes, a value 64 KiB. */
export async function stateSet(tool: HookTool, values: Readonly<Record<string, string>>): Promise<void> {
  requireVersion(tool, FIRST_STATE, "the charm's state");
  await tool.run("state-set", ["--file", "-"], { input: settingsFile(values) });
}

/** Removes a key of the charm's state when the hook commits; one that is not there is no error. */
export async function stateDelete(tool: HookTool, key: string): Promise<void> {
  requireVersion(tool, FIRST_STATE, "the charm's state");
  await tool.run("state-delete", ["--", key]);
}

/** One storage instance: what it is and where it is mounted or attached. */
export interface StorageInfo {
  readonly kind: string;
  readonly location: string | null;
}

/** Ids (`data/0`) of the unit's storage instances, all or those of one name. */
export async function storageList(tool: HookTool, name?: string): Promise<readonly string[]> {
  return toList(await runJson(tool, "storage-list", name === undefined ? [] : ["--", name]), "storage-list");
}

/** Kind and location of a storage instance. */
export async function storageGet(tool: HookTool, id: string): Promise<StorageInfo> {
  const info = toObject(await runJson(tool, "storage-get", ["-s", id]), "storage-get");
  return {
    kind: toText(info["kind"], "storage-get"),
    location: toOptionalText(info["location"], "storage-get"),
  };
}

/** Asks for `count` more storage instances when the hook commits. */
export async function storageAdd(tool: HookTool, name: string, count: number): Promise<void> {
  await tool.run("storage-add", ["--", `${name}=${count}`]);
}

/** A resource download may be large. */
const RESOURCE_LIMIT_MS = 600_000;

/** Path of a charm resource, downloaded where it is not there yet (up to ten minutes). The command knows no `--format`. */
export async function resourceGet(tool: HookTool, name: string): Promise<string> {
  return await tool.run("resource-get", ["--", name], { limitMs: RESOURCE_LIMIT_MS });
}
