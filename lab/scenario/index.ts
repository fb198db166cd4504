/** The test kit for charms: `Context.run(event, state)`. The only door for other folders. */
export { openContext, type Context, type ContextOptions } from "./context.ts";
export { InconsistentScenarioError } from "./consistency.ts";
export { describeEvent, event, type ScenarioEvent } from "./event.ts";
export {
  ActionFailedError,
  DispatchFailedError,
  type ActionOutput,
  type LogLine,
  type RunResult,
} from "./result.ts";
export type { RunOptions } from "./run.ts";
export {
  givenSecret,
  newestContent,
  ownSecret,
  peerRelation,
  relation,
  relationIn,
  secretIn,
  state,
  uriOf,
  type Databag,
  type GivenSecret,
  type OwnSecret,
  type PeerRelation,
  type Ports,
  type Relation,
  type Secret,
  type SecretContent,
  type State,
  type Status,
  type Storage,
} from "./state.ts";
