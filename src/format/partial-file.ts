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

/**
 * Written in pieces of this size, at multiples of it, a file lies in memory in large pages where the file system has them,
 * and whoever maps it can read it through huge ones.
 */
const PIECE_BYTES = 2 << 20;

/** The partial files that this process is writing now. */
const in_use = new Set<string>();

export class PartialFile {
  readonly #target_path: string;
  readonly #path: string;
  #descriptor: number | null;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  /** Where the piece at hand begins in the file. */
  #piece_offset = 0;
  /** What of it is still to be written: its bytes from #begin to #end. */
  #begin = 0;
  #end = 0;
  /** Nothing was written from here on. */
  #written_end = 0;

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

  /**
   * Writes all of `bytes` at `offset`, some of it with a later call or `commit`; what is left out before is zero.
   * @throws SherryError file_unwritable
   */
  write(bytes: Uint8Array, offset: number): void {
    this.#openDescriptor();
    let done = 0;
    while (done < bytes.length) {
      const place = (offset + done) % PIECE_BYTES;
      const count = Math.min(bytes.length - done, PIECE_BYTES - place);
      this.#put(bytes.subarray(done, done + count), offset + done - place, place);
      done += count;
    }
  }

  /** Takes what belongs to one piece, from its byte `place` on. */
  #put(bytes: Uint8Array, piece_offset: number, place: number): void {
    // Bytes left out between are zero, unless they were written before.
    const is_after =
      place === this.#end || (place > this.#end && piece_offset + this.#end >= this.#written_end);
    if (piece_offset !== this.#piece_offset || !is_after) this.#flush();
    if (this.#begin === this.#end) {
      this.#piece_offset = piece_offset;
      this.#begin = piece_offset < this.#written_end ? place : 0;
      this.#end = this.#begin;
    }
    this.#piece.fill(0, this.#end, place);
    this.#piece.set(bytes, place);
    this.#end = place + bytes.length;
    if (this.#end === PIECE_BYTES) this.#flush();
  }

  /** Writes what is pending. */
  #flush(): void {
    const descriptor = this.#openDescriptor();
    attempt(this.#target_path, () => {
      let done = this.#begin;
      while (done < this.#end) {
        done += writeSync(descriptor, this.#piece, done, this.#end - done, this.#piece_offset + done);
      }
    });
    this.#written_end = Math.max(this.#written_end, this.#piece_offset + this.#end);
    this.#begin = 0;
    this.#end = 0;
  }

  /** Writes the header, makes everything durable and renames. @throws SherryError file_unwritable */
  commit(header: Uint8Array): void {
    const descriptor = this.#openDescriptor();
    attempt(this.#target_path, () => {
      // The body reaches the disk before the magic does: a crash in between leaves no file that looks whole.
      this.#flush();
      fsyncSync(descriptor);
      this.write(header, 0);
      this.#flush();
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
