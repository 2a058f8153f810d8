/**
 * Attention through the boundary: a context that several threads share span by span, in one round or more, gives the
 * bits that one thread gives over all positions.
 */
import { expect, test } from "bun:test";
import { Kernels } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { SequenceTable } from "../../src/native/sequences.ts";
import { rangeOf } from "../../src/native/weight.ts";
import { randomNumbers } from "../format/sample-tensors.ts";

/** Random f32 numbers in memory of their own. */
function numbers(count: number, seed: number): NativeMemory {
  const memory = NativeMemory.allocate(count * 4);
  const random = randomNumbers(seed);
  const values = Float32Array.from({ length: count }, () => random() * 2 - 1);
  memory.view(0, count * 4).set(new Uint8Array(values.buffer));
  return memory;
}

// The last shape has more spans than the scratch memory of one round holds.
test.each([
  [3, 1, 40, 1, 255],
  [4, 2, 64, 5, 700],
  [64, 1, 128, 1, 4500],
])(
  "%d heads on %d of %d, %d tokens at %d: one, two and three threads",
  (heads, groups, head_dim, tokens, start) => {
    const capacity = start + tokens;
    const count = tokens * heads * head_dim;
    const keys = numbers(groups * capacity * head_dim, 1);
    const values = numbers(groups * capacity * head_dim, 2);
    const q = numbers(count, 3);
    const cache = { keys: rangeOf(keys), values: rangeOf(values), element: "f32", capacity } as const;
    const [one, two, three] = [1, 2, 3].map((thread_count) => {
      const kernels = Kernels.create({ thread_count });
      const out = NativeMemory.allocate(count * 4);
      const sequences = new SequenceTable([{ cache, start, tokens }]);
      kernels.attention(rangeOf(q), heads, groups, head_dim, sequences, rangeOf(out));
      const attended = out.view(0, count * 4).slice();
      out.free();
      kernels.close();
      return attended;
    });
    for (const memory of [keys, values, q]) memory.free();
    expect(one?.some((byte) => byte !== 0)).toBe(true);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  },
);
