/**
 * GGUF models of the three families whose tensors are random blocks, as Tencent's files have them: STQ1_0 linear layers,
 * a Q6_K embedding, F32 norms. What the tests of packing GGUF files and of writing them again run on.
 */
import type { ModelConfig } from "../../../src/format/directory.ts";
import { decodeRows } from "../../../src/packing/gguf/decode.ts";
import { type GgufArchitecture, ggufName } from "../../../src/packing/gguf/tensor-names.ts";
import { blockSize, type GgufTensorType } from "../../../src/packing/gguf/tensor-types.ts";
import type { GgufContents, GgufTensorToWrite, GgufValue } from "../../../src/packing/gguf/writer.ts";
import { planTensors, type TensorRole } from "../../../src/packing/tensor-plan.ts";
import { CONFIG, randomNumbers } from "../../format/sample-file.ts";
import { modelMetadata } from "./gguf-model.ts";

const MODEL_TYPES = {
  llama: { architecture: "llama", query_key_norm: "none" },
  qwen3: { architecture: "qwen3", query_key_norm: "before_rotary" },
  "hunyuan-dense": { architecture: "hunyuan_v1_dense", query_key_norm: "after_rotary" },
} as const;

/** Two layers of 256 and 512 columns; heads of which none is hidden_size / heads, and of which a tile has no whole number. */
const SIZES = {
  ...{ hidden_size: 256, intermediate_size: 512, num_hidden_layers: 2, vocab_size: 270 },
  ...{ num_attention_heads: 8, num_key_value_heads: 2, head_dim: 96 },
  ...{ max_position_embeddings: 512, rms_norm_eps: 1e-5, rope_theta: 11_158_840, rope_scaling: null },
  ...{ bos_token_id: 1, eos_token_ids: [2] },
};

export interface BlockModelOptions {
  readonly seed?: number;
  readonly tied?: boolean;
  /** Default: STQ1_0, Q6_K, F32. */
  readonly linear?: GgufTensorType;
  readonly embedding?: GgufTensorType;
  readonly head?: GgufTensorType;
  readonly norm?: GgufTensorType;
  /** Tensors of a type of their own, by Hugging Face's names. */
  readonly exceptions?: ReadonlyMap<string, GgufTensorType>;
}

/** A tensor's blocks, its rows in Hugging Face's order. */
export interface BlockTensor {
  readonly name: string;
  readonly role: TensorRole;
  readonly type: GgufTensorType;
  readonly rows: number;
  readonly columns: number;
  readonly blocks: Uint8Array<ArrayBuffer>;
  /** As the GGUF file has them: rows of a llama's q and k permuted. */
  readonly stored_blocks: Uint8Array<ArrayBuffer>;
}

export interface BlockModel {
  readonly architecture: GgufArchitecture;
  readonly config: ModelConfig;
  /** By Hugging Face's names. */
  readonly tensors: ReadonlyMap<string, BlockTensor>;
  readonly contents: GgufContents;
}

export function blockModel(architecture: GgufArchitecture, options: BlockModelOptions = {}): BlockModel {
  const { seed = 1, tied = true, linear = "STQ1_0", embedding = "Q6_K", norm = "F32" } = options;
  const config: ModelConfig = {
    ...CONFIG,
    ...SIZES,
    ...MODEL_TYPES[architecture],
    tie_word_embeddings: tied,
  };
  const types = { linear, embedding, norm, head: options.head ?? embedding };
  const tensors = new Map<string, BlockTensor>();
  for (const [index, { name, role, shape }] of planTensors(config).entries()) {
    const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
    const type = options.exceptions?.get(name) ?? types[role];
    const blocks = randomBlocks(type, rows, columns, seed * 1000 + index, role);
    const permuted = architecture === "llama" && /[qk]_proj/.test(name);
    const stored_blocks = permuted ? permuteRows(blocks, rows, config.head_dim) : blocks;
    tensors.set(name, { name, role, type, rows, columns, blocks, stored_blocks });
  }
  return { architecture, config, tensors, contents: contentsOf(architecture, config, tensors) };
}

/** The weights that the blocks stand for, in Hugging Face's order. */
export function weightsOf({ blocks, type, rows, columns }: BlockTensor): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(rows * columns);
  if (decodeRows(blocks, type, columns, weights) !== null) throw new Error("a weight is not finite");
  return weights;
}

function contentsOf(
  architecture: GgufArchitecture,
  config: ModelConfig,
  tensors: ReadonlyMap<string, BlockTensor>,
): GgufContents {
  const metadata = modelMetadata(architecture);
  const set = (key: string, value: number) =>
    metadata.set(`${architecture}.${key}`, { type: "uint32", value } satisfies GgufValue);
  set("embedding_length", config.hidden_size);
  set("feed_forward_length", config.intermediate_size);
  set("attention.head_count", config.num_attention_heads);
  set("attention.head_count_kv", config.num_key_value_heads);
  for (const key of ["attention.key_length", "attention.value_length", "rope.dimension_count"]) {
    set(key, config.head_dim);
  }
  return {
    metadata,
    tensors: [...tensors.values()].map(
      ({ name, role, type, rows, columns, stored_blocks }): GgufTensorToWrite => ({
        name: ggufName(architecture, name) ?? name,
        type,
        dimensions: role === "norm" ? [columns] : [columns, rows],
        write: (sink) => sink(stored_blocks),
      }),
    ),
  };
}

/**
 * Any bytes are blocks; only the scales have to be chosen, so that the numbers stay finite and a vector about as long as it
 * is. Every eleventh block of STQ1_0 has a scale of zero over its codes.
 */
function randomBlocks(
  type: GgufTensorType,
  rows: number,
  columns: number,
  seed: number,
  role: TensorRole,
): Uint8Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const block = blockSize(type);
  const count = (rows * columns) / block.columns;
  const bytes = Uint8Array.from({ length: count * block.bytes }, () => Math.floor(random() * 256));
  const view = new DataView(bytes.buffer);
  const magnitude = role === "linear" ? 1 / Math.sqrt(columns) : 1;
  for (let index = 0; index < count; index += 1) {
    const start = index * block.bytes;
    const factor = (0.5 + random()) * magnitude;
    const number = role === "norm" ? 0.5 + random() : (random() - 0.5) * 3.5 * magnitude;
    if (type === "F32") view.setFloat32(start, number, true);
    else if (type === "F16") view.setFloat16(start, number, true);
    else if (type === "BF16") {
      view.setUint16(start, (new Uint32Array(Float32Array.of(number).buffer)[0] ?? 0) >>> 16, true);
    } else if (type === "STQ1_0") view.setFloat16(start + 40, index % 11 === 10 ? 0 : factor, true);
    // A level is up to 32, a sub-scale up to 128; negative scales are usual in Q6_K and Q4_0.
    else if (type === "Q6_K") view.setFloat16(start + 208, (random() < 0.5 ? -1 : 1) * (factor / 1500), true);
    else if (type === "Q4_0") view.setFloat16(start, (random() < 0.5 ? -1 : 1) * (factor / 4), true);
    else if (type === "Q8_0") view.setFloat16(start, factor / 74, true);
    else if (type === "TQ1_0") view.setFloat16(start + 52, factor, true);
    else if (type === "TQ2_0") {
      // Two bits say 0 to 3, of which no encoder writes 3.
      for (let byte = start; byte < start + 64; byte += 1) {
        const bits = bytes[byte] ?? 0;
        bytes[byte] = bits & ~(((bits >> 1) & bits & 0x55) << 1);
      }
      view.setFloat16(start + 64, factor, true);
    }
  }
  return bytes;
}

/** A llama's converter: [heads][2][head_dim / 2] rows to [heads][head_dim / 2][2]. */
function permuteRows(
  blocks: Uint8Array<ArrayBuffer>,
  rows: number,
  head_dim: number,
): Uint8Array<ArrayBuffer> {
  const row_bytes = blocks.length / rows;
  const result = new Uint8Array(blocks.length);
  let to = 0;
  for (let head = 0; head < rows; head += head_dim) {
    for (let pair = 0; pair < head_dim / 2; pair += 1) {
      for (const row of [head + pair, head + head_dim / 2 + pair]) {
        result.set(blocks.subarray(row * row_bytes, (row + 1) * row_bytes), to);
        to += row_bytes;
      }
    }
  }
  return result;
}
