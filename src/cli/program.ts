/** The commander tree; the only importer of commander. */
import { Command, Option } from "commander";
import type { Proxy } from "../build/types.ts";
import { listBuildsCommand } from "./commands/builds.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { checkReleasesCommand } from "./commands/check-releases.ts";
import { checkCommand } from "./commands/check.ts";
import { diffCommand } from "./commands/diff.ts";
import { listImagesCommand, pruneCommand } from "./commands/images.ts";
import { rollbackCommand, unpinCommand } from "./commands/pins.ts";
import { reapCommand } from "./commands/reap.ts";
import { removeImagesCommand } from "./commands/remove-images.ts";
import { showBuildCommand } from "./commands/show-build.ts";
import { runCommand } from "./commands/run.ts";

/** What the commands use of the process they run in. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
  /** The model's proxies with their passwords, where the charm handed them over; else null. */
  readonly proxy: () => Proxy | null;
}

/** The whole command line. Usage errors throw commander's error after their text is written. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command("image-builder")
    .description("Builds VM images for self-hosted GitHub Actions runners on OpenStack.")
    .exitOverride()
    .showHelpAfterError();

  program
    .command("run")
    .description("build the images of a request and copy them to its target clouds")
    .requiredOption("--request <file>", "the build request (JSON); its folder gets the journal")
    .addOption(
      new Option("--log-format <format>", "how the log on stderr is written")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--log-file <file...>", "files that get the log, too, as JSON lines")
    .action(async (options: { request: string; logFormat: "text" | "json"; logFile?: string[] }) => {
      const { request: file, logFormat, logFile = [] } = options;
      await runCommand({ request: file, logFormat, logFiles: logFile }, terminal);
    });

  program
    .command("list-builds")
    .description("list the builds below a folder, newest last")
    .requiredOption("--builds <folder>", "the folder that holds one folder per build")
    .option("--json", "write JSON")
    .action(async (options: { builds: string; json?: true }) => {
      await listBuildsCommand({ builds: options.builds, json: options.json === true }, terminal);
    });

  program
    .command("show-build")
    .description("show one build: its state, steps, images and errors")
    .argument("<folder>", "the build's folder")
    .option("--json", "write JSON")
    .action(async (folder: string, options: { json?: true }) => {
      await showBuildCommand({ folder, json: options.json === true }, terminal);
    });

  program
    .command("cancel")
    .description("end a build that runs or waits, and wait until it has deleted what it made")
    .argument("<folder>", "the build's folder")
    .action(async (folder: string) => {
      await cancelCommand({ folder }, terminal);
    });

  program
    .command("diff")
    .description("show what changed between two images: versions of packages, snaps, kernel, runner, recipe")
    .argument("<before>", "a manifest, a build's folder, or with --builds the id of a build or of an image")
    .argument("<after>", "the same of the other image")
    .option("--image <image>", "which image of the builds, such as noble-x64")
    .option("--builds <folder>", "the folder that holds one folder per build")
    .option("--json", "write JSON")
    .action(
      async (before: string, after: string, options: { image?: string; builds?: string; json?: true }) => {
        const { image = null, builds = null, json } = options;
        await diffCommand({ before, after, image, builds, json: json === true }, terminal);
      },
    );

  program
    .command("check-releases")
    .description(
      "tell of runners and base images that are newer than a build's, and run a command when there are some",
    )
    .requiredOption("--build <folder>", "the build's folder")
    .argument("[command...]", "what to run when something is newer")
    .action(async (wake: string[], options: { build: string }) => {
      await checkReleasesCommand({ build: options.build, wake }, terminal);
    });

  program
    .command("remove-images")
    .description("remove our images from a cloud that no related charm uses any more")
    .requiredOption("--departure <folder>", "what the charm wrote down of the cloud")
    .action(async (options: { departure: string }) => {
      await removeImagesCommand(options, terminal);
    });

  const request = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .requiredOption("--request <file>", "a build request (JSON), such as the unit's request.json");

  request("list-images", "list this application's images in every cloud with their state")
    .option("--json", "write JSON")
    .action(async ({ request: file, json }: { request: string; json?: true }) => {
      await listImagesCommand({ request: file, json: json === true }, terminal);
    });

  request("prune", "delete superseded images beyond the history limit; says only which without --apply")
    .option("--apply", "delete them")
    .option("--json", "write JSON")
    .action(async ({ request: file, apply, json }: { request: string; apply?: true; json?: true }) => {
      await pruneCommand({ request: file, apply: apply === true, json: json === true }, terminal);
    });

  request("reap", "delete what dead builds left in the clouds; says only what without --apply")
    .option("--apply", "delete it")
    .option(
      "--leaving",
      "also what a unit that goes away needs no more: what could be gone on with, its security group",
    )
    .option("--json", "write JSON")
    .action(async (given: { request: string; apply?: true; leaving?: true; json?: true }) => {
      const { request: file, apply, leaving, json } = given;
      const flags = { apply: apply === true, leaving: leaving === true, json: json === true };
      await reapCommand({ request: file, ...flags }, terminal);
    });

  request("check", "look whether a build can work: credentials, quota, flavor, network, mirrors, formats")
    .option("--json", "write JSON")
    .action(async ({ request: file, json }: { request: string; json?: true }) => {
      await checkCommand({ request: file, json: json === true }, terminal);
    });

  const images = (command: Command): Command =>
    command
      .option("--image <image...>", "which images, such as noble-x64; all without it")
      .option("--no-wake", "do not tell the charm, which publishes with its next hook then");

  images(request("rollback", "publish an earlier good image and pin it"))
    .option("--to <id>", "a build's or an image's id; the one before what is published without it")
    .action(async (given: { request: string; image?: string[]; to?: string; wake: boolean }) => {
      const { image = [], to = "", wake } = given;
      await rollbackCommand({ request: given.request, images: image, to, wake }, terminal);
    });

  images(request("unpin", "publish the newest images again")).action(
    async ({ request: file, image = [], wake }: { request: string; image?: string[]; wake: boolean }) => {
      await unpinCommand({ request: file, images: image, wake }, terminal);
    },
  );

  return program;
}
