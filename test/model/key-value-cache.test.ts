/** The cache's sizes, layout and refusals. */
import { expect, test } from "bun:test";
import { KeyValueCache, keyValueBytes } from "../../src/model/key-value-cache.ts";
import { refusal } from "../format/refusal.ts";
import { CONFIG } from "../format/sample-file.ts";

/** Four key-value heads of eight elements. */
const config = { ...CONFIG, num_hidden_layers: 3 };

test("bytes: layers x (keys and values) x heads x positions x elements, planes rounded up to 64, q8 with scales", () => {
  expect(keyValueBytes(config, "f32", 10)).toBe(3 * 2 * (4 * 10 * 8 * 4));
  expect(keyValueBytes(config, "f16", 10)).toBe(3 * 2 * (4 * 10 * 8 * 2));
  expect(keyValueBytes(config, "q8", 10)).toBe(3 * 2 * (4 * 10 * 8 + 192));
  expect(keyValueBytes({ ...config, num_key_value_heads: 1 }, "f16", 3)).toBe(3 * 2 * 64);
  expect(keyValueBytes({ ...config, num_key_value_heads: 1 }, "q8", 3)).toBe(3 * 2 * (64 + 64));
});

test("planes lie one after the other, aligned, and the cache begins empty", () => {
  const cache = new KeyValueCache({ ...config, num_key_value_heads: 1 }, "f16", 5);
  try {
    expect(cache.length).toBe(0);
    expect(cache.capacity).toBe(5);
    const planes = cache.layers.flatMap(({ keys, values }) => [keys, values]);
    const first = planes[0]?.address ?? 0;
    expect(planes.map(({ address, bytes }) => [address - first, bytes])).toEqual(
      planes.map((_, index) => [index * 128, 128]),
    );
    expect(first % 64).toBe(0);
    expect(cache.layers.every(({ element, capacity }) => element === "f16" && capacity === 5)).toBe(true);
  } finally {
    cache.free();
    cache.free();
  }
});

test.each([0, -1, 1.5, Number.NaN, 2 ** 53])("capacity %d is refused", (capacity) => {
  expect(refusal(() => new KeyValueCache(config, "f32", capacity))).toEqual({
    code: "argument_invalid",
    message: `key-value cache: expected a capacity of at least one position that fits the address space, received ${capacity}`,
  });
});
