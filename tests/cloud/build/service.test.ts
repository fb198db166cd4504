/** Debian's own systemd and logrotate judge what is written for them; both come with the lab's packages. */
import { execFile } from "node:child_process";
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { pathsOf } from "../../../src/build/paths.ts";
import { logRotation, serviceTemplate } from "../../../src/build/service/unit.ts";

const run = promisify(execFile);
const paths = pathsOf("/", "image-builder/0");

test("the template is one that systemd takes, every line of it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "service-"));
  const file = join(folder.path, "github-runner-image-builder@x.service");
  await writeFile(file, serviceTemplate(paths));
  // reads the unit and all that it names, without a running systemd; unknown options are told on stderr
  const { stderr } = await run("systemd-analyze", ["verify", "--recursive-errors=no", "--man=no", file]);
  expect(stderr).toBe("");
});

test("the rotation is one that logrotate takes", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "rotation-"));
  const here = pathsOf(folder.path, "image-builder/0");
  await mkdir(here.logs, { recursive: true, mode: 0o750 });
  await writeFile(here.logFile, "{}\n".repeat(10), { mode: 0o640 });
  const file = join(folder.path, "rotation");
  await writeFile(file, logRotation(here), { mode: 0o644 });
  const { stderr } = await run("logrotate", ["--debug", "--state", join(folder.path, "state"), file]);
  expect(stderr).not.toMatch(/error/i);
  expect(stderr).toContain(`considering log ${here.logFile}`);
});
