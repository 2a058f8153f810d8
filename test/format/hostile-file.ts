/** The tools of the hostile-file tests: forged and damaged files, and what the reader must do with them. */
import { type ByteSource, memorySource } from "../../src/format/byte-source.ts";
import type { TensorEntry } from "../../src/format/directory.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { packSample, signHeader, withDirectory } from "./sample-file.ts";

export const FILE = await packSample();

/** Counts what is asked for, so that a test sees a reader that believes a hostile size. */
export function watchedSource(file: Uint8Array): ByteSource & { bytes_read: number } {
  const source = memorySource(file);
  return {
    bytes: source.bytes,
    bytes_read: 0,
    read(offset, length) {
      this.bytes_read += length;
      return source.read(offset, length);
    },
  };
}

/** Opens the file; anything but a typed refusal fails the test. */
export function expectRefusal(file: Uint8Array): Refusal {
  const source = watchedSource(file);
  const refused = refusal(() => readPackedFile(source));
  if (refused.code !== "format_invalid" && refused.code !== "format_unsupported") {
    throw new Error(`the code is ${refused.code}: ${refused.message}`);
  }
  if (source.bytes_read > file.length + 128) throw new Error(`${source.bytes_read} bytes were read`);
  if (refused.message.length > 1_000) throw new Error(`a message of ${refused.message.length} characters`);
  return refused;
}

export function flipped(index: number, bits: number): Uint8Array {
  const copy = Uint8Array.from(FILE);
  copy[index] = (copy[index] ?? 0) ^ bits;
  return copy;
}

/** A header field replaced and the header signed again. */
export function withHeader(change: (view: DataView) => void): Uint8Array {
  const copy = Uint8Array.from(FILE);
  change(new DataView(copy.buffer));
  return signHeader(copy);
}

export function forgeTensor(
  position: number,
  change: Partial<Record<keyof TensorEntry, unknown>>,
): Uint8Array {
  return withDirectory(FILE, (directory) => {
    const tensors = directory.tensors.map((tensor, index) =>
      index === position ? { ...tensor, ...change } : tensor,
    );
    return { ...directory, tensors };
  });
}
