/**
 * A file that takes its target's place only when it is whole: written beside the target under a name of its own, header
 * last, flushed to the disk, then renamed. Until then its first bytes are zero, so nobody takes it for a model.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SherryError } from "../errors.ts";

/** The partial files that this process is writing now. */
const in_use = new Set<string>();

export class PartialFile {
  readonly #target_path: string;
  readonly #path: string;
  #descriptor: number | null;

  private constructor(target_path: string, path: string, descriptor: number) {
    this.#target_path = target_path;
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** Also removes what killed processes left beside the same target. @throws SherryError file_unwritable */
  static create(target: string): PartialFile {
    const target_path = resolve(target);
    const path = `${target_path}.${process.pid}.partial`;
    if (in_use.has(path)) {
      throw new SherryError("file_unwritable", target_path, {
        expected: "one writer at a time",
        received: "a second one in this process",
        next_step: "Wait for the first, or choose another target",
      });
    }
    return attempt(target_path, () => {
      refuseFolder(target_path);
      removeLeftovers(target_path);
      // "wx" refuses to write through a link or into a file that somebody else put there.
      const descriptor = openSync(path, "wx");
      in_use.add(path);
      return new PartialFile(target_path, path, descriptor);
    });
  }

  /** Writes all of `bytes` at `offset`. @throws SherryError file_unwritable */
  write(bytes: Uint8Array, offset: number): void {
    const descriptor = this.#openDescriptor();
    attempt(this.#target_path, () => {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done);
      }
    });
  }

  /** Writes the header, makes everything durable and renames. @throws SherryError file_unwritable */
  commit(header: Uint8Array): void {
    const descriptor = this.#openDescriptor();
    attempt(this.#target_path, () => {
      // The body reaches the disk before the magic does: a crash in between leaves no file that looks whole.
      fsyncSync(descriptor);
      this.write(header, 0);
      fsyncSync(descriptor);
      this.#close();
      renameSync(this.#path, this.#target_path);
      in_use.delete(this.#path);
      syncFolder(dirname(this.#target_path));
    });
  }

  /** Closes and removes the file. Does nothing when it was committed or discarded before. */
  discard(): void {
    this.#close();
    if (in_use.delete(this.#path)) rmSync(this.#path, { force: true });
  }

  #openDescriptor(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    throw new SherryError("closed", `writing ${this.#target_path}`, { received: "a file that was closed" });
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

function refuseFolder(target_path: string): void {
  if (statSync(target_path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new SherryError("file_unwritable", target_path, { expected: "a file's path", received: "a folder" });
}

/** Removes `<target>.<process id>.partial` of processes that no longer run, and of this one's number before it. */
function removeLeftovers(target_path: string): void {
  const prefix = `${basename(target_path)}.`;
  for (const name of readdirSync(dirname(target_path))) {
    if (!name.startsWith(prefix)) continue;
    const match = /^([1-9][0-9]{0,9})\.partial$/.exec(name.slice(prefix.length));
    if (match === null) continue;
    const process_id = Number(match[1]);
    if (process_id === process.pid || !isRunning(process_id)) {
      rmSync(join(dirname(target_path), name), { force: true });
    }
  }
}

function isRunning(process_id: number): boolean {
  try {
    process.kill(process_id, 0);
    return true;
  } catch (error) {
    // Any other refusal (EPERM) means that the process is there.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** A rename is durable once its folder is. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function attempt<T>(target_path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SherryError) throw cause;
    throw new SherryError("file_unwritable", target_path, {
      expected: "a place where a file can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "Check that the folder exists, its permissions and the free space",
      cause,
    });
  }
}
