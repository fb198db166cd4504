/** The commander tree; the only importer of commander. */
import { Command, Option } from "commander";
import { listBuildsCommand, showBuildCommand } from "./commands/builds.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { checkReleasesCommand } from "./commands/check-releases.ts";
import { diffCommand } from "./commands/diff.ts";
import { removeImagesCommand } from "./commands/remove-images.ts";
import { runCommand } from "./commands/run.ts";

/** What the commands use of the process they run in. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
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
    .action(async (options: { request: string; logFormat: "text" | "json" }) => {
      await runCommand(options, terminal);
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

  return program;
}
