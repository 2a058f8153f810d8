/** Seeded bytes: known values, any offset, independent purposes. */
import { describe, expect, test } from "bun:test";
import { createCipheriv, createHash } from "node:crypto";
import { SherryError } from "../../../src/errors.ts";
import { Keystream } from "../../../src/packing/synthetic/keystream.ts";

describe("Keystream", () => {
  test("is AES-128-CTR from counter 0 under the hash of seed and purpose", () => {
    const key = createHash("sha256").update("sherry keystream 1\n7\nname").digest().subarray(0, 16);
    const block = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    const counters = new Uint8Array(48);
    counters[31] = 1;
    counters[47] = 2;
    expect(Buffer.from(new Keystream(7, "name").read(0, 48)).toString("hex")).toBe(
      block.update(counters).toString("hex"),
    );
  });

  test("any range is a piece of the whole, past 2^32 blocks too", () => {
    const keystream = new Keystream(1, "x");
    const whole = keystream.read(0, 5_000);
    for (const [offset, length] of [
      [0, 1],
      [1, 15],
      [15, 2],
      [16, 16],
      [333, 4_000],
      [4_999, 1],
      [77, 0],
    ] as const) {
      expect(keystream.read(offset, length)).toEqual(whole.subarray(offset, offset + length));
    }
    const far = 2 ** 40 + 3;
    expect(keystream.read(far, 40).subarray(13, 33)).toEqual(keystream.read(far + 13, 20));
  });

  test("a result is the caller's: changing it changes nothing", () => {
    const keystream = new Keystream(1, "x");
    const first = keystream.read(0, 64);
    const copy = first.slice();
    first.fill(1);
    expect(keystream.read(0, 64)).toEqual(copy);
    expect(new Keystream(1, "y").read(0, 64)).not.toEqual(copy);
    expect(new Keystream(2, "x").read(0, 64)).not.toEqual(copy);
  });

  test("a seed that is no whole number is refused", () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => new Keystream(seed, "x")).toThrow(
        new SherryError("argument_invalid", "seed", {
          expected: `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
          received: String(seed),
        }),
      );
    }
  });
});
