/**
 * Bytes that can be read at any offset: an open file or a piece of memory. Every read is held against the size first, so
 * a hostile range costs neither memory nor a crash.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { SherryError } from "../errors.ts";

export interface ByteSource {
  /** The size of the whole. */
  readonly bytes: number;
  /**
   * A fresh array of exactly `length` bytes, which the caller owns.
   * @throws SherryError format_invalid when the range leaves the source or the file has become shorter meanwhile;
   *   file_unreadable when the system refuses to read.
   */
  read(offset: number, length: number): Uint8Array;
}

export interface FileSource extends ByteSource {
  /** Gives the file back. Safe to call twice. */
  close(): void;
}

/** @throws SherryError file_not_found | file_unreadable. The caller closes the source. */
export function openFileSource(path: string): FileSource {
  const descriptor = openRegularFile(path);
  const bytes = fstatSync(descriptor).size;
  let open = true;
  return {
    bytes,
    read(offset, length) {
      checkRange(offset, length, bytes);
      if (!open) throw new SherryError("closed", `reading ${path}`, { received: "a source that was closed" });
      return readExactly(descriptor, path, offset, length);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Reads from `content`, which must not change meanwhile. */
export function memorySource(content: Uint8Array): ByteSource {
  return {
    bytes: content.length,
    read(offset, length) {
      checkRange(offset, length, content.length);
      return content.slice(offset, offset + length);
    },
  };
}

function openRegularFile(path: string): number {
  try {
    // Opening a named pipe would wait for its writer, so the kind of file is asked for first.
    if (!statSync(path).isFile()) {
      throw new SherryError("file_unreadable", path, { expected: "a file", received: "something else" });
    }
    return openSync(path, "r");
  } catch (cause) {
    if (cause instanceof SherryError) throw cause;
    const missing = ["ENOENT", "ENOTDIR"].includes(errorName(cause));
    throw new SherryError(missing ? "file_not_found" : "file_unreadable", path, {
      expected: "a file that can be read",
      received: missing ? "no such file" : describe(cause),
      next_step: missing ? "Check the path" : "Check its permissions",
      cause,
    });
  }
}

function readExactly(descriptor: number, path: string, offset: number, length: number): Uint8Array {
  const result = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(descriptor, result, done, length - done, offset + done);
    } catch (cause) {
      throw new SherryError("file_unreadable", path, { received: describe(cause), cause });
    }
    if (count === 0) {
      throw new SherryError("format_invalid", path, {
        expected: `${length} bytes at offset ${offset}`,
        received: `the file's end after ${done}`,
        next_step: "The file was cut while it was read; get it again",
      });
    }
    done += count;
  }
  return result;
}

function checkRange(offset: number, length: number, bytes: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (whole && offset <= bytes && length <= bytes - offset) return;
  throw new SherryError("format_invalid", "a range of the file", {
    expected: `to lie in its ${bytes} bytes`,
    received: `${length} bytes at offset ${offset}`,
  });
}

function errorName(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
