import { expect, test } from "vitest";
import { active, blocked, maintenance, statusSetter, waiting, worst } from "../../../src/juju/status.ts";
import { createHookTools } from "../../support/hook-tools.ts";

test("the worst is blocked, then maintenance, waiting, active", () => {
  const all = [active(), waiting("w"), maintenance("m"), blocked("b")];
  expect(worst(all)?.name).toBe("blocked");
  expect(worst(all.slice(0, 3))?.name).toBe("maintenance");
  expect(worst(all.slice(0, 2))?.name).toBe("waiting");
  expect(worst(all.slice(0, 1))?.name).toBe("active");
  expect(worst([])).toBeUndefined();
});

test("the first of equals wins", () => {
  expect(worst([active(), blocked("first"), blocked("second")])?.message).toBe("first");
});

test("a status is set once, as one line of bounded length, after the end of flags", async () => {
  await using tools = await createHookTools();
  const set = statusSetter(tools.tool());
  await set(blocked("-x is\nwrong"));
  await set(blocked("-x is wrong"));
  await set(waiting("x".repeat(600)));
  const calls = await tools.calls();
  expect(calls.map(({ argv }) => argv)).toEqual([
    ["status-set", "--", "blocked", "-x is wrong"],
    ["status-set", "--", "waiting", `${"x".repeat(499)}…`],
  ]);
});

test("a status that could not be set is tried again", async () => {
  await using tools = await createHookTools();
  await tools.reply("status-set*", { stderr: "ERROR no\n", code: 1 });
  const set = statusSetter(tools.tool());
  await expect(set(active())).rejects.toThrow("cannot run status-set: no");
  await expect(set(active())).rejects.toThrow("cannot run status-set: no");
});
