import { describe, expect, test } from "vitest";
import { AppError, ConfigError, DeadlineError } from "../../../src/base/errors.ts";
import { adviceFor } from "../../../src/build/advice.ts";
import { StepError } from "../../../src/build/step.ts";
import { OpenStackError } from "../../../src/openstack/index.ts";

const refused = (
  status: number | null,
  code: string | null = null,
  service: "image" | "identity" = "image",
): OpenStackError =>
  new OpenStackError("refused", {
    service,
    method: "PUT",
    url: "http://glance.example",
    status,
    body: {},
    requestId: null,
    retryAfterMs: null,
    code,
  });
const at = (step: string, cause: unknown = new AppError("no")): StepError => new StepError(step, cause);

describe("advice", () => {
  test.each<[string, unknown, string | null]>([
    [
      "is left out where the error names the option and the fix",
      at("fetch the inputs", new ConfigError(["x"])),
      null,
    ],
    [
      "is left out where the message begins with an option",
      at("choose flavor and network", new AppError("build-flavor: no")),
      null,
    ],
    [
      "on a quota comes before all else",
      at("upload the image", refused(413)),
      "raise the project's quota or delete what is not needed there",
    ],
    [
      "on a cloud in trouble is to wait",
      at("launch the builder", refused(503)),
      "the cloud did not answer as it should; when it does again, run the action run",
    ],
    [
      "on a lost connection, too",
      at("prune", refused(null, "ECONNRESET")),
      "the cloud did not answer as it should; when it does again, run the action run",
    ],
    [
      "on a sign-in names the options",
      at("sign in to the build cloud"),
      "check the openstack-* options and their secret with the action check",
    ],
    [
      "on the script names its output",
      at("run the script"),
      "see the script's output in the build's log, mend it or its secrets, then run the action run",
    ],
    [
      "on a wait names the cloud",
      at("stop the builder", new DeadlineError("stop", 1000)),
      "look what the cloud is busy with, then run the action run",
    ],
    [
      "on a password that was changed while the build ran names the options, too",
      at("stop the builder", refused(401, null, "identity")),
      "check the openstack-* options and their secret with the action check",
    ],
    [
      "on a target that lets nobody in names the charm that it belongs to",
      at("upload the image", new AppError("no copy in a: cannot sign in to cloud a: wrong password")),
      "check the OpenStack options of the related charms with the action check",
    ],
    ["is never missing", new Error("?"), "see the build's log, then run the action run"],
  ])("%s", (_what, error, expected) => {
    expect(adviceFor(error)).toBe(expected);
  });
});
