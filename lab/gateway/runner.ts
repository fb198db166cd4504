/**
 * The stand-in of GitHub's actions runner: an archive with the files that an image build and a runner
 * machine touch, which run and say what they are. The real one can't be had from the packages of Debian.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tarArchive } from "./tar.ts";
import type { TarFile } from "./tar.ts";

/** The version that the lab's release pages call the latest. */
export const RUNNER_VERSION = "2.328.0";
/** Architectures in the release's file names. */
export const RUNNER_ARCHITECTURES = ["x64", "arm64"] as const;

/** A release file: its name, bytes and SHA-256 in hexadecimal. */
export interface RunnerArchive {
  readonly name: string;
  readonly data: Buffer;
  readonly sha256: string;
}

/** 2025-01-01: a fixed date keeps the archive, and so its checksum, the same on every machine. */
const MODIFIED = 1_735_689_600;

/** The release archives of {@link RUNNER_VERSION}, one for each architecture; always the same bytes. */
export function runnerArchives(): readonly RunnerArchive[] {
  return RUNNER_ARCHITECTURES.map((architecture) => {
    const data = gzipSync(tarArchive(runnerFiles(architecture), MODIFIED), { level: 9 });
    return {
      name: `actions-runner-linux-${architecture}-${RUNNER_VERSION}.tar.gz`,
      data,
      sha256: createHash("sha256").update(data).digest("hex"),
    };
  });
}

function runnerFiles(architecture: string): readonly TarFile[] {
  const what = `stand-in of the GitHub Actions runner ${RUNNER_VERSION} (${architecture}) of the lab`;
  const script = (path: string, body: string): TarFile => ({
    path,
    mode: 0o755,
    text: `#!/bin/sh\n# ${what}\n${body}\n`,
  });
  return [
    {
      path: "./STAND-IN.txt",
      mode: 0o644,
      text: `This is the ${what}.\nIt takes no jobs. It shows that an image holds a runner at the right place.\n`,
    },
    script(
      "./run.sh",
      [
        'case "${1:-}" in',
        '  "" | --once) ;;',
        `  --jitconfig) [ -n "\${2:-}" ] || { echo "--jitconfig needs a value" >&2; exit 2; } ;;`,
        '  *) echo "unknown option $1" >&2; exit 2 ;;',
        "esac",
        `echo "${what}: started, takes no jobs"`,
      ].join("\n"),
    ),
    script("./config.sh", `echo "${what}: nothing to configure"`),
    script(
      "./bin/Runner.Listener",
      [
        'case "${1:-}" in',
        `  --version) echo "${RUNNER_VERSION}" ;;`,
        '  *) echo "unknown option ${1:-}" >&2; exit 2 ;;',
        "esac",
      ].join("\n"),
    ),
    script("./bin/installdependencies.sh", `echo "${what}: needs no packages"`),
  ];
}
