/** Static checks: format, lint with the import rules, types. Exit code 1 when one of them complains. */
import { spawnSync } from "node:child_process";

const checks: readonly (readonly [string, ...string[]])[] = [
  ["oxfmt", "--check", "."],
  ["oxlint", "--type-aware", "--deny-warnings", "."],
  ["tsc", "--noEmit"],
];

let failed = 0;
for (const [command, ...parameters] of checks) {
  const { status } = spawnSync(command, parameters, { stdio: "inherit" });
  if (status !== 0) failed += 1;
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${command} ${parameters.join(" ")}`);
}
process.exitCode = failed === 0 ? 0 : 1;
