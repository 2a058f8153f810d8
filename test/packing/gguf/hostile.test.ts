/** GGUF headers cut, changed and made up: typed errors only, and no read that the file has no room for. */
import { describe, expect, test } from "bun:test";
import fast_check from "fast-check";
import { SherryError } from "../../../src/errors.ts";
import { type ByteSource, memorySource } from "../../../src/format/byte-source.ts";
import { readGgufPart } from "../../../src/packing/gguf/part.ts";
import { randomNumbers } from "../../format/sample-file.ts";
import { fileBytes, kv, SOUND } from "./gguf-bytes.ts";

/** Every cut of the file and every change of its bytes either reads or is refused by one of these codes. */
const CODES = ["checkpoint_invalid", "checkpoint_unsupported"];

/** Reads, decodes every array, and remembers the largest piece that was asked for at once. */
function readAll(bytes: Uint8Array): { code: string | null; largest_read: number } {
  const inner = memorySource(bytes);
  let largest_read = 0;
  const source: ByteSource = {
    bytes: inner.bytes,
    read(offset, length) {
      largest_read = Math.max(largest_read, length);
      return inner.read(offset, length);
    },
  };
  try {
    const { metadata, tensors } = readGgufPart(source, "m.gguf");
    for (const key of metadata.keys()) {
      const shown = metadata.describe(key);
      if (/^an array of \d+ string$/.test(shown)) metadata.texts(key);
      else if (/^an array of \d+ (?!bool)/.test(shown)) metadata.numbers(key);
    }
    for (const tensor of tensors) tensor.source.read(tensor.offset, tensor.bytes);
    return { code: null, largest_read };
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    return { code: error.code, largest_read };
  }
}

describe("hostile bytes", () => {
  const texts = Array.from({ length: 300 }, (_, index) => `token ${index}`);
  const bytes = fileBytes({ ...SOUND, metadata: [...(SOUND.metadata ?? []), kv.texts("more", texts)] });

  test("cut at every 97th byte, the file is refused", () => {
    let cuts = 0;
    for (let length = 0; length < bytes.length; length += 97) {
      const result = readAll(bytes.slice(0, length));
      expect({ length, code: result.code }).toEqual({ length, code: "checkpoint_invalid" });
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(50);
    expect(readAll(bytes).code).toBeNull();
  });

  test("a changed header gives typed errors only, and no read beyond the file", () => {
    const header_length = bytes.length - 132;
    fast_check.assert(
      fast_check.property(
        fast_check.array(fast_check.tuple(fast_check.nat(header_length - 1), fast_check.nat(255)), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const changed = bytes.slice();
          for (const [index, value] of changes) changed[index] = value;
          const { code, largest_read } = readAll(changed);
          expect([null, ...CODES]).toContain(code);
          expect(largest_read).toBeLessThanOrEqual(changed.length);
        },
      ),
      { seed: 97, numRuns: 3_000 },
    );
  });

  test("random words behind a sound beginning give typed errors only", () => {
    const random = randomNumbers(5);
    const interesting = [0, 1, 2, 8, 9, 32, 255, 2 ** 31, 2 ** 32 - 1];
    for (let run = 0; run < 2_000; run += 1) {
      const words = Uint32Array.from({ length: 40 }, () => interesting[Math.floor(random() * 9)] ?? 0);
      words.set([0x46554747, 3, 1, 0, Math.floor(random() * 3), 0]);
      const { code, largest_read } = readAll(new Uint8Array(words.buffer));
      expect([null, ...CODES]).toContain(code);
      expect(largest_read).toBeLessThanOrEqual(160);
    }
  });
});
