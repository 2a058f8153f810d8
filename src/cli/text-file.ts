/** Reads the text that a command measures a model on. */
import { SherryError } from "../errors.ts";
import { openFileSource } from "../format/byte-source.ts";

/** A text file, in bytes; the usual ones (WikiText-2's test set) have one or two million. */
export const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/** @throws SherryError file_not_found | file_unreadable | argument_invalid when it is too large or not UTF-8 */
export function readTextFile(path: string): string {
  const source = openFileSource(path);
  try {
    if (source.bytes > TEXT_BYTES_MAX) {
      throw new SherryError("argument_invalid", path, {
        expected: `a text of at most ${TEXT_BYTES_MAX} bytes`,
        received: `${source.bytes} bytes`,
        next_step: "Measure on a part of it",
      });
    }
    return decode(source.read(0, source.bytes), path);
  } finally {
    source.close();
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SherryError("argument_invalid", path, {
      expected: "a text in UTF-8",
      received: "other bytes",
      cause,
    });
  }
}
