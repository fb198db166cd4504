/** The next thing to try after a failure, for somebody who reads it at night. */
import { ConfigError, DeadlineError } from "../base/errors.ts";
import { RemoteCommandError, SshError } from "../ssh/communicator.ts";
import {
  ImageFailedError,
  isQuotaExceeded,
  isUnauthorized,
  OpenStackError,
  ServerFailedError,
} from "../openstack/index.ts";
import { StepError } from "./step.ts";

/** By the step that failed. */
const BY_STEP: Readonly<Record<string, string>> = {
  "sign in to the build cloud": "check the openstack-* options and their secret with the action check",
  "sign in to the target clouds": "check the OpenStack options of the related charms with the action check",
  "choose flavor and network":
    "see build-flavor, build-network and the project's quota with the action check",
  "prepare the security group": "check the build project's rights and its quota of security groups",
  "fetch the inputs": "check runner-mirror and script-url with the action check",
  "prepare the base image": "check base-image-mirror and base-image-serial with the action check",
  "launch the builder": "look at the server's fault and the cloud's capacity, then run the action run",
  "log in to the builder": "check that this machine reaches build-network by SSH, then run the action run",
  "run cloud-init":
    "see the section's output in the build's log; check mirrors, apt-packages, snaps and npm-packages",
  "run the script":
    "see the script's output in the build's log, mend it or its secrets, then run the action run",
  "upload the image":
    "check quota and image formats of that cloud with the action check, then run the action run",
};

/** How a message begins that names an option of the charm. */
const OPTION = /^[a-z]+(-[a-z0-9]+)+: /;

/** One sentence without a full stop; null for what says by itself what to do. */
export function adviceFor(error: unknown): string | null {
  const chain = causesOf(error);
  // what names the option says by itself where to look
  if (chain.some((one) => one instanceof ConfigError || OPTION.test(one.message))) return null;
  // a password that was changed while the build ran; targets that let nobody in are told in a text of their own
  if (chain.some((one) => one instanceof OpenStackError && one.service === "identity" && isUnauthorized(one)))
    return BY_STEP["sign in to the build cloud"] ?? null;
  if (chain.some((one) => /^no copy in .*cannot sign in to cloud/.test(one.message)))
    return BY_STEP["sign in to the target clouds"] ?? null;
  if (chain.some(isQuotaExceeded)) return "raise the project's quota or delete what is not needed there";
  if (chain.some((one) => one instanceof OpenStackError && one.isTransient)) {
    return "the cloud did not answer as it should; when it does again, run the action run";
  }
  const failed = chain.find((one) => one instanceof StepError);
  const byStep = failed === undefined ? undefined : BY_STEP[failed.step];
  if (byStep !== undefined) return byStep;
  if (chain.some((one) => one instanceof DeadlineError))
    return "look what the cloud is busy with, then run the action run";
  if (chain.some((one) => one instanceof SshError || one instanceof RemoteCommandError)) {
    return "see the guest's output in the build's log, then run the action run";
  }
  if (chain.some((one) => one instanceof ServerFailedError || one instanceof ImageFailedError)) {
    return "look at the cloud's own log, then run the action run";
  }
  return "see the build's log, then run the action run";
}

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause) chain.push(one);
  return chain;
}
