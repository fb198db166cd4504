import { expect, test } from "vitest";
import { runScript } from "../../../lab/script.ts";

const env = { PATH: "/usr/bin:/bin" };

test("passes on both outputs line by line", async () => {
  const lines: string[] = [];
  await runScript(["-c", "echo one; echo two >&2"], {
    env,
    log: (line) => lines.push(line),
    signal: new AbortController().signal,
  });
  expect(lines.toSorted()).toEqual(["one", "two"]);
});

test("names the exit code and the last lines of a script that fails", async () => {
  const failing = runScript(["-c", "echo the reason; exit 3"], {
    env,
    log: () => {},
    signal: new AbortController().signal,
  });
  await expect(failing).rejects.toThrow(/exit code 3: the reason/);
});

test("ends a script and its children when the signal fires", async () => {
  const cancel = new AbortController();
  const pids: number[] = [];
  const running = runScript(["-c", "sleep 600 & echo $!; echo $$; wait"], {
    env,
    log: (line) => {
      pids.push(Number(line));
      if (pids.length === 2) cancel.abort(new Error("enough"));
    },
    signal: cancel.signal,
  });
  // it settles only when nobody holds the output pipe any more: neither script nor child
  await expect(running).rejects.toThrow("enough");
  expect(pids).toHaveLength(2);
});
