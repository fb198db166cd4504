/** The environment of a hook, an action or a command, built from nothing (contract 1.2). */
import { join } from "node:path";
import type { HookContext } from "./context.ts";
import { versionOf, type Model } from "./model.ts";

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";

/**
 * All variables of `context`'s process. `extra` comes on top; its `PATH` stands behind the tools' folder, and its
 * proxies are those of the model.
 */
export function environmentOf(
  model: Model,
  context: HookContext,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const { agent, unit } = context;
  return {
    ...extra,
    PATH: `${agent.toolsDirectory}:${extra["PATH"] ?? SYSTEM_PATH}`,
    LANG: "C.UTF-8",
    TERM: "screen-256color",
    DEBIAN_FRONTEND: "noninteractive",
    APT_LISTCHANGES_FRONTEND: "none",
    JUJU_UNIT_NAME: unit.name,
    JUJU_MODEL_NAME: model.name,
    JUJU_MODEL_UUID: model.uuid,
    JUJU_MACHINE_ID: unit.machine,
    JUJU_AVAILABILITY_ZONE: "nova",
    JUJU_PRINCIPAL_UNIT: "",
    JUJU_CHARM_DIR: agent.charmDirectory,
    CHARM_DIR: agent.charmDirectory,
    JUJU_VERSION: model.version,
    JUJU_CONTEXT_ID: context.id,
    JUJU_AGENT_SOCKET_ADDRESS: join(agent.directory, "agent.socket"),
    JUJU_AGENT_SOCKET_NETWORK: "unix",
    JUJU_API_ADDRESSES: "127.0.0.1:17070",
    CLOUD_API_VERSION: "",
    JUJU_CHARM_HTTP_PROXY: extra["JUJU_CHARM_HTTP_PROXY"] ?? "",
    JUJU_CHARM_HTTPS_PROXY: extra["JUJU_CHARM_HTTPS_PROXY"] ?? "",
    JUJU_CHARM_FTP_PROXY: extra["JUJU_CHARM_FTP_PROXY"] ?? "",
    JUJU_CHARM_NO_PROXY: extra["JUJU_CHARM_NO_PROXY"] ?? "127.0.0.1,localhost,::1",
    ...(versionOf(model)[0] < 4
      ? { JUJU_METER_STATUS: "AMBER", JUJU_METER_INFO: "not set", JUJU_SLA: "unsupported" }
      : {}),
    ...hookVariables(context),
  };
}

function hookVariables(context: HookContext): Record<string, string> {
  const { relation, secret, storage, action, targetBase } = context;
  return {
    JUJU_HOOK_NAME: context.kind === "hook" ? context.name : "",
    ...(context.kind === "exec" ? {} : { JUJU_DISPATCH_PATH: `${context.kind}s/${context.name}` }),
    ...(relation === undefined
      ? {}
      : {
          JUJU_RELATION: relation.endpoint,
          JUJU_RELATION_ID: `${relation.endpoint}:${relation.id}`,
          JUJU_REMOTE_UNIT: relation.remoteUnit,
          JUJU_REMOTE_APP: relation.remoteApplication,
          ...(relation.departingUnit === "" ? {} : { JUJU_DEPARTING_UNIT: relation.departingUnit }),
        }),
    ...(secret === undefined
      ? {}
      : {
          JUJU_SECRET_ID: `secret:${secret.id}`,
          JUJU_SECRET_LABEL: secret.label,
          ...(secret.revision === undefined ? {} : { JUJU_SECRET_REVISION: String(secret.revision) }),
        }),
    ...(storage === undefined
      ? {}
      : {
          JUJU_STORAGE_ID: storage.id,
          JUJU_STORAGE_LOCATION: storage.location,
          JUJU_STORAGE_KIND: storage.kind,
        }),
    ...(targetBase === undefined ? {} : { JUJU_TARGET_BASE: targetBase }),
    ...(action === undefined
      ? {}
      : {
          JUJU_ACTION_NAME: action.name,
          JUJU_ACTION_UUID: action.id,
          JUJU_ACTION_TAG: `action-${action.id}`,
        }),
  };
}
