/** The past of a unit that has been in use for a while. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { REQUEST_FILE, type Build } from "../src/build/history.ts";
import { openJournal } from "../src/build/journal.ts";

/** As many as a unit remembers, each with the journal of half an hour's work. */
const BUILDS = 20;
const STEPS = 20;
const SECONDS_OF_TRANSFER = 300;

/** Adds builds before `oldest`, with its request, that have all ended well. */
export async function addHistory(buildsFolder: string, oldest: Build): Promise<void> {
  const request = await readFile(join(oldest.folder, REQUEST_FILE), "utf8");
  for (let number = 0; number < BUILDS; number += 1) {
    // sorts before every id of now
    const id = `20200101t000000000-${String(number).padStart(4, "0")}`;
    const folder = join(buildsFolder, id);
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, REQUEST_FILE), JSON.stringify({ ...JSON.parse(request), id }));
    writeJournal(folder);
  }
}

function writeJournal(folder: string): void {
  const image = "noble-x64";
  using journal = openJournal(folder, () => {});
  journal.add({ event: "started", process: "1:1:of-another-boot" });
  for (let number = 0; number < STEPS; number += 1) {
    const step = `step ${number}`;
    journal.add({ event: "step-started", image, step });
    journal.add({ event: "step-ended", image, step, ms: 90_000, error: null });
  }
  for (let done = 0; done < SECONDS_OF_TRANSFER; done += 1) {
    journal.add({ event: "progress", image, step: "upload the image", done, total: SECONDS_OF_TRANSFER });
  }
  journal.add({ event: "ended", outcome: "done", error: null });
}
