/**
 * Models packed from GGUF against the original blocks: logits against the float64 forward on the weights that the blocks
 * stand for, and single products against a plain dot product over the blocks' own integers.
 */
import { describe, expect, test } from "bun:test";
import { type CpuLevel, Kernels, preparedBytes, usableCpuLevels } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { PackingStatistics } from "../../src/native/packing.ts";
import { rangeOf } from "../../src/native/weight.ts";
import { prepareBlocks } from "../../src/packing/block-tensors.ts";
import { decodeRows } from "../../src/packing/gguf/decode.ts";
import { writeGguf } from "../../src/packing/gguf/writer.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { randomNumbers } from "../format/sample-file.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import {
  type BlockModelOptions,
  type BlockTensor,
  blockModel,
  weightsOf,
} from "../packing/gguf/block-model.ts";
import { deviation, runModel } from "./measured-logits.ts";
import { type ReferenceConfig, referenceLogits } from "./reference-forward.ts";

/** As in forward.test.ts: a prompt of more tokens than the kernels make tables for, then five one by one. */
const IDS = [
  ...[3, 17, 9, 40, 2, 2, 31, 11, 268, 0, 22, 46, 13, 7, 135, 19],
  ...[5, 44, 26, 1, 38, 14, 9, 33, 20, 6, 47, 12, 29, 3, 41, 16],
];
const PREFILL = 27;

/** As in forward.test.ts: all arithmetic is f32 (seen here: 3e-7 at most). */
const ROUNDING = 2e-6;
/** As in forward.test.ts: an activation between two int8 values may fall to the other side than in float64. */
const INT8_STEP = 0.05;

describe.each(["llama", "qwen3", "hunyuan-dense"] as const)("%s from GGUF", (architecture) => {
  // Seeds with which no activation of the first tokens falls to the other side, for all later tokens attend to these.
  const models: [string, BlockModelOptions][] = [
    ["STQ1_0 and Q6_K, tied", {}],
    ["STQ1_0 and Q6_K, untied", { tied: false, seed: 6 }],
    ["STQ1_0 and F16, tied", { embedding: "F16", seed: 3 }],
    ["STQ1_0 and STQ1_0, untied", { tied: false, embedding: "STQ1_0", seed: 8 }],
  ];
  for (const [name, options] of models) {
    test(`${name}: the logits of a plain evaluation of the original blocks`, async () => {
      using place = new TemporaryFolder();
      const model = blockModel(architecture, options);
      const [input, output] = [place.at("m.gguf"), place.at("m.sherry")];
      await writeGguf(input, model.contents);
      await packCheckpoint({
        ...{ input, output, linear: "sherry", embedding: null, head: null, scale: "auto", label: null },
      });
      const weights = new Map([...model.tensors].map(([name, tensor]) => [name, weightsOf(tensor)]));
      const find = (name: string) => weights.get(name) ?? new Float32Array(0);
      const config: ReferenceConfig = {
        ...model.config,
        model_type: model.config.architecture,
        rope_scaling: null,
      };
      const reference = {
        config,
        weight: find,
        readsInt8: (name: string) => model.tensors.get(name)?.type !== "F16",
        keep: (head: Float64Array) => head,
      };
      const expected = referenceLogits(reference, IDS).slice(PREFILL - 1);
      const received = runModel(output, IDS, PREFILL, {
        ...{ key_value_element: "f32", thread_count: 1, context_tokens: 64 },
      });
      const { median, largest } = deviation(expected, received);
      expect(median).toBeLessThan(ROUNDING);
      expect(largest).toBeLessThan(INT8_STEP);
    });
  }
});

/** Random STQ1_0 blocks [rows][columns] with a scale of 1: what is left of a weight is its integer. */
function unitTensor(rows: number, columns: number): BlockTensor {
  const random = randomNumbers(rows * columns);
  const blocks = Uint8Array.from({ length: (rows * columns * 42) / 256 }, () => Math.floor(random() * 256));
  for (let start = 40; start < blocks.length; start += 42)
    new DataView(blocks.buffer).setUint16(start, 0x3c00, true);
  const name = "model.layers.0.mlp.up_proj.weight";
  return { name, role: "linear", type: "STQ1_0", rows, columns, blocks, stored_blocks: blocks };
}

async function packedBytes(tensor: BlockTensor): Promise<Uint8Array> {
  const { name, type, rows, columns, blocks } = tensor;
  const row_bytes = blocks.length / rows;
  const readBlocks = (row: number, count: number) => blocks.slice(row * row_bytes, (row + count) * row_bytes);
  const prepared = prepareBlocks(
    {
      ...{
        name,
        gguf_name: name,
        type,
        rows,
        columns,
        shape: [rows, columns],
        bytes: blocks.length,
        readBlocks,
      },
      decode: (row, weights) => decodeRows(readBlocks(row, weights.length / columns), type, columns, weights),
    },
    "sherry",
  );
  const pieces: Uint8Array[] = [];
  await prepared?.write(
    (bytes) => pieces.push(bytes.slice()),
    new PackingStatistics(),
    async () => {},
  );
  return Buffer.concat(pieces);
}

/**
 * Activations that are integers with a largest magnitude of 127 in every block of 256 go through int8 unchanged, and all
 * sums stay below 2^24: every result is exact, whatever the order of its additions.
 */
test.each([
  [1, 256],
  [70, 512],
  [130, 1024],
])("STQ1_0 [%d, %d]: the reference dot product on the original blocks, to the bit", async (rows, columns) => {
  const tensor = unitTensor(rows, columns);
  const weights = weightsOf(tensor);
  const packed = await packedBytes(tensor);
  const random = randomNumbers(7);
  for (const cpu_level of usableCpuLevels()) {
    for (const tokens of [1, 3, 20]) {
      const x = Float32Array.from({ length: tokens * columns }, (_, index) =>
        index % 256 === 5 ? -127 : Math.floor(random() * 255) - 127,
      );
      const y = multiply(packed, rows, columns, x, tokens, cpu_level);
      for (let token = 0; token < tokens; token += 1) {
        for (let row = 0; row < rows; row += 1) {
          let sum = 0;
          for (let column = 0; column < columns; column += 1) {
            sum += (weights[row * columns + column] ?? 0) * (x[token * columns + column] ?? 0);
          }
          expect(y[token * rows + row]).toBe(sum);
        }
      }
    }
  }
});

function multiply(
  packed: Uint8Array,
  rows: number,
  columns: number,
  x: Float32Array,
  tokens: number,
  cpu_level: CpuLevel,
): Float32Array {
  const kernels = Kernels.create({ cpu_level, thread_count: 2 });
  const sizes = [packed.length, x.byteLength, preparedBytes(tokens, columns), tokens * rows * 4];
  const memories = sizes.map((bytes) => NativeMemory.allocate(bytes));
  const [weight, input, prepared, result] = memories;
  try {
    if (!weight || !input || !prepared || !result) throw new Error("unreachable: four were allocated");
    weight.view(0, packed.length).set(packed);
    input.floats(0, x.length).set(x);
    kernels.prepare(rangeOf(input), tokens, columns, rangeOf(prepared), "strided");
    kernels.linear(
      {
        ...{
          kind: "sherry",
          range: rangeOf(weight),
          rows,
          columns,
          granularity: "group",
          group_columns: 256,
        },
        ...{ scale_element: "f16", column_order: "strided" },
      },
      { x: rangeOf(input), prepared: rangeOf(prepared), column_order: "strided" },
      tokens,
      rangeOf(result),
    );
    return result.floats(0, tokens * rows).slice();
  } finally {
    for (const memory of memories) memory.free();
    kernels.close();
  }
}
