/** Files and folders that are there whole or not at all: written beside their place under another name, then renamed. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SherryError } from "../../src/errors.ts";

/** Makes the folder above where it is missing. @throws SherryError file_unwritable */
export function writeWholeFile(path: string, content: string): void {
  attempt(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.partial`, content);
    renameSync(`${path}.partial`, path);
  });
}

/**
 * `fill` writes into the folder that it is given, which then takes the place of the one at `path`.
 * @throws SherryError file_unwritable, and what `fill` throws
 */
export function writeWholeFolder(path: string, fill: (folder: string) => void): void {
  const partial = `${path}.partial`;
  attempt(path, () => {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    fill(partial);
    rmSync(path, { recursive: true, force: true });
    renameSync(partial, path);
  });
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof SherryError) throw cause;
    throw new SherryError("file_unwritable", path, {
      expected: "a place that can be written to",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "Check permissions and the free space",
      cause,
    });
  }
}
