/**
 * A model for tests: a small llama with random weights on the 3:4 grid, a head that never says the end and a byte-level
 * tokenizer. Its text means nothing, and its label says so. The weights come from a seeded generator and exact
 * arithmetic only, so every run on every machine writes the same bytes.
 *
 * The file is made by the real packer from a Hugging Face folder in a temporary place.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packCheckpoint } from "../src/packing/packer.ts";
import {
  BEGIN_TOKEN,
  BYTE_VOCABULARY_SIZE,
  byteTokenizerConfig,
  byteTokenizerJson,
  END_TOKEN,
} from "../src/packing/synthetic/byte-tokenizer.ts";

const LABEL = "toy model: random weights, its text means nothing";
const SEED = 20_260_107;

const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  vocab_size: BYTE_VOCABULARY_SIZE,
  bos_token_id: BEGIN_TOKEN.id,
  eos_token_id: END_TOKEN.id,
};

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Elements, little-endian. */
  readonly bytes: Uint8Array;
}

/** A safetensors file of those tensors, in their order. */
export function encodeSafetensors(tensors: readonly NamedTensor[]): Uint8Array {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape, dtype, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const result = new Uint8Array(8 + json.length + end);
  new DataView(result.buffer).setBigUint64(0, BigInt(json.length), true);
  result.set(json, 8);
  let position = 8 + json.length;
  for (const { bytes } of tensors) {
    result.set(bytes, position);
    position += bytes.length;
  }
  return result;
}

/** Whole numbers 0 .. 2^32 - 1: a Weyl sequence, its bits mixed (as in SplitMix; Steele, Lea, Flood 2014). */
class RandomNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }
}

/**
 * Weights [rows][columns] on the 3:4 grid, one scale for `group_columns` columns of a row. Scales are about
 * sqrt(1 / kept weights of a row), so that a layer keeps its input's magnitude, and multiples of 1/1024, so that f16
 * holds them exactly.
 */
function gridWeights(
  random: RandomNumbers,
  rows: number,
  columns: number,
  group_columns: number,
): Float32Array {
  const weights = new Float32Array(rows * columns);
  const middle = Math.round(1024 / Math.sqrt(0.75 * columns));
  for (let row = 0; row < rows; row += 1) {
    let scale = 0;
    for (let column = 0; column < columns; column += 4) {
      if (column % group_columns === 0) scale = (middle - 16 + random.below(33)) / 1024;
      const zero_position = random.below(4);
      const signs = random.below(16);
      for (let position = 0; position < 4; position += 1) {
        const sign = (signs >> position) & 1 ? -1 : 1;
        weights[row * columns + column + position] = position === zero_position ? 0 : sign * scale;
      }
    }
  }
  return weights;
}

/** Rows of the embedding, all of one magnitude. */
function embeddingWeights(random: RandomNumbers): Float32Array {
  return Float32Array.from(
    { length: CONFIG.vocab_size * CONFIG.hidden_size },
    () => (random.below(1023) - 511) / 512,
  );
}

/**
 * Rows of the head: those of letters and the space are eight times as long as the others, so that they are what the
 * model says and its text can be printed; short enough that the likeliest token changes from one to the next. It is not
 * the embedding, because a random model with a tied head only ever repeats its last token.
 */
function headWeights(random: RandomNumbers): Float32Array {
  const { vocab_size, hidden_size } = CONFIG;
  const weights = new Float32Array(vocab_size * hidden_size);
  for (let token = 0; token < vocab_size; token += 1) {
    const printable = token === 32 || (token >= 97 && token <= 122);
    const step = printable ? 1 / 1024 : 1 / 8192;
    for (let column = 0; column < hidden_size; column += 1) {
      weights[token * hidden_size + column] = (random.below(1023) - 511) * step;
    }
  }
  return weights;
}

function toyTensors(): NamedTensor[] {
  const random = new RandomNumbers(SEED);
  const { hidden_size, intermediate_size, num_attention_heads, num_key_value_heads, head_dim } = CONFIG;
  const tensors: NamedTensor[] = [];
  const add = (name: string, shape: readonly number[], weights: Float32Array) => {
    tensors.push({ name, shape, dtype: "F32", bytes: new Uint8Array(weights.buffer) });
  };
  const linear = (name: string, rows: number, columns: number, group_columns: number) =>
    add(name, [rows, columns], gridWeights(random, rows, columns, group_columns));
  const norm = (name: string) => add(name, [hidden_size], new Float32Array(hidden_size).fill(1));
  const query_size = num_attention_heads * head_dim;
  const key_value_size = num_key_value_heads * head_dim;
  add("model.embed_tokens.weight", [CONFIG.vocab_size, hidden_size], embeddingWeights(random));
  for (let layer = 0; layer < CONFIG.num_hidden_layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    norm(`${prefix}.input_layernorm.weight`);
    linear(`${prefix}.self_attn.q_proj.weight`, query_size, hidden_size, hidden_size);
    linear(`${prefix}.self_attn.k_proj.weight`, key_value_size, hidden_size, hidden_size);
    linear(`${prefix}.self_attn.v_proj.weight`, key_value_size, hidden_size, hidden_size);
    linear(`${prefix}.self_attn.o_proj.weight`, hidden_size, query_size, 32);
    norm(`${prefix}.post_attention_layernorm.weight`);
    linear(`${prefix}.mlp.gate_proj.weight`, intermediate_size, hidden_size, 32);
    linear(`${prefix}.mlp.up_proj.weight`, intermediate_size, hidden_size, hidden_size);
    linear(`${prefix}.mlp.down_proj.weight`, hidden_size, intermediate_size, 128);
  }
  norm("model.norm.weight");
  add("lm_head.weight", [CONFIG.vocab_size, hidden_size], headWeights(random));
  return tensors;
}

/** Writes the toy model to `output`. @throws SherryError file_unwritable and whatever else packing throws */
export async function makeToyModel(output: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sherry-toy-"));
  try {
    const writeJson = (name: string, value: unknown) =>
      writeFileSync(join(folder, name), JSON.stringify(value));
    writeJson("config.json", CONFIG);
    writeJson("generation_config.json", { do_sample: true, temperature: 1, top_k: 40 });
    writeJson("tokenizer.json", byteTokenizerJson());
    writeJson("tokenizer_config.json", byteTokenizerConfig(CONFIG.max_position_embeddings));
    writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(toyTensors()));
    const summary = await packCheckpoint({
      input: folder,
      output,
      linear: "sherry",
      embedding: "f16",
      head: null,
      scale: "auto",
      label: LABEL,
    });
    if (summary.on_grid_tensors !== summary.linear_tensors) {
      throw new Error("the toy model's weights must be on the 3:4 grid");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let written: string | undefined;

/** The path of a toy model written once for this process; the system's temporary folder keeps it until the process ends. */
export async function toyModelPath(): Promise<string> {
  if (written !== undefined) return written;
  const folder = mkdtempSync(join(tmpdir(), "sherry-toy-model-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "toy.sherry");
  await makeToyModel(path);
  written = path;
  return path;
}
