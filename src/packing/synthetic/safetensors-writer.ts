/**
 * Writes safetensors files as a stream, for checkpoints too large for memory. The header is padded with spaces to a
 * multiple of eight bytes, as the format's own writer does. Source: huggingface/safetensors, README, "Format".
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { SherryError } from "../../errors.ts";

const LENGTH_BYTES = 8;

export interface TensorOfFile {
  readonly name: string;
  /** As the format spells it: "F32", "BF16", ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Everything before the first tensor's bytes. `metadata` joins what PyTorch's readers look for. */
export function safetensorsHeader(
  tensors: readonly TensorOfFile[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } };
  let end = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  const result = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(result.buffer).setBigUint64(0, BigInt(padded), true);
  result.set(text, LENGTH_BYTES);
  return result;
}

/** A file that is written from front to back. */
export class SequentialFile {
  readonly #path: string;
  #descriptor: number | null;

  /** The file must not be there yet. @throws SherryError file_unwritable */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#attempt(() => openSync(path, "wx"));
  }

  /** @throws SherryError file_unwritable */
  append(bytes: Uint8Array): void {
    const descriptor = this.#descriptor;
    if (descriptor === null) throw new SherryError("closed", `writing ${this.#path}`);
    this.#attempt(() => {
      let done = 0;
      while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done);
    });
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new SherryError("file_unwritable", this.#path, {
        expected: "a place where a file can be written",
        received: cause instanceof Error ? cause.message : String(cause),
        next_step: "Check that the folder exists, its permissions and the free space",
        cause,
      });
    }
  }
}
