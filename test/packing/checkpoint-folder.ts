/**
 * Hugging Face folders made up for tests: a tiny llama whose tensors a test can replace, written as one safetensors file
 * or as shards.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { encodeSafetensors, type NamedTensor } from "../toy-model.ts";

export type TestElement = "F32" | "F16" | "BF16";

export interface TestTensor {
  readonly shape: readonly number[];
  readonly dtype: TestElement;
  readonly weights: Float32Array;
}

export type TestTensors = ReadonlyMap<string, TestTensor>;

export const TINY_CONFIG = {
  model_type: "llama",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 64,
  vocab_size: 10,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};
const TINY_SHAPES: readonly (readonly [name: string, ...shape: number[]])[] = [
  ["model.embed_tokens.weight", 10, 16],
  ["model.layers.0.input_layernorm.weight", 16],
  ["model.layers.0.self_attn.q_proj.weight", 16, 16],
  ["model.layers.0.self_attn.k_proj.weight", 8, 16],
  ["model.layers.0.self_attn.v_proj.weight", 8, 16],
  ["model.layers.0.self_attn.o_proj.weight", 16, 16],
  ["model.layers.0.post_attention_layernorm.weight", 16],
  ["model.layers.0.mlp.gate_proj.weight", 24, 16],
  ["model.layers.0.mlp.up_proj.weight", 24, 16],
  ["model.layers.0.mlp.down_proj.weight", 16, 24],
  ["model.norm.weight", 16],
];
export const Q_PROJ = "model.layers.0.self_attn.q_proj.weight";
export const DOWN_PROJ = "model.layers.0.mlp.down_proj.weight";
export const EMBEDDING = "model.embed_tokens.weight";

/** Numbers in -1 .. 1 by a fixed rule, each a multiple of 1/128 so that f16 and bf16 hold them exactly. */
export function plainWeights(length: number, seed: number): Float32Array {
  return Float32Array.from(
    { length },
    (_, index) => ((index * 37 + seed * 11 + (index >> 3)) % 257) / 128 - 1,
  );
}

export function tinyTensors(dtype: TestElement = "F32"): Map<string, TestTensor> {
  return new Map(
    TINY_SHAPES.map(([name, ...shape], seed) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, dtype, weights: plainWeights(length, seed) }];
    }),
  );
}

/** Elements as a safetensors file has them; rounds with the language's own conversions. */
export function elementBytes({ dtype, weights }: TestTensor): Uint8Array {
  const size = dtype === "F32" ? 4 : 2;
  const view = new DataView(new ArrayBuffer(weights.length * size));
  for (const [index, weight] of weights.entries()) {
    if (dtype === "F32") view.setFloat32(index * 4, weight, true);
    else if (dtype === "F16") view.setFloat16(index * 2, weight, true);
    else view.setUint16(index * 2, (new Uint32Array(Float32Array.of(weight).buffer)[0] ?? 0) >>> 16, true);
  }
  return new Uint8Array(view.buffer);
}

export function namedTensors(tensors: TestTensors): NamedTensor[] {
  return [...tensors].map(([name, tensor]) => ({
    name,
    shape: tensor.shape,
    dtype: tensor.dtype,
    bytes: elementBytes(tensor),
  }));
}

/** A temporary place that removes itself: `using place = new TemporaryFolder()`. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), "sherry-test-"));

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface FolderContents {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly tensors?: TestTensors;
  /** Further files by name: texts or bytes as they are, anything else as JSON. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** How many shards to cut the tensors into; 0 for one file. */
  readonly shards?: number;
}

/** Writes the folder and gives its path back. */
export function writeFolder(folder: string, contents: FolderContents = {}): string {
  mkdirSync(folder, { recursive: true });
  const { config = TINY_CONFIG, tensors = tinyTensors(), files = {}, shards = 0 } = contents;
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const named = namedTensors(tensors);
  if (shards === 0) writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(named));
  else writeShards(folder, named, shards);
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
  return folder;
}

function writeShards(folder: string, named: readonly NamedTensor[], shards: number): void {
  const weight_map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard += 1) {
    // Tensors dealt out in turn, so that neighbours lie in different files.
    const mine = named.filter((_, index) => index % shards === shard);
    const file_name = `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    writeFileSync(join(folder, file_name), encodeSafetensors(mine));
    for (const { name } of mine) weight_map[name] = file_name;
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map }));
}

/** All tensors of a packed file, unpacked, in the file's order. */
export function unpackFile(path: string): Map<string, Float32Array> {
  const source = openFileSource(path);
  try {
    const { directory } = readPackedFile(source);
    return new Map(
      directory.tensors.map((entry) => [
        entry.name,
        unpackTensor(entry, source.read(entry.offset, entry.bytes)),
      ]),
    );
  } finally {
    source.close();
  }
}
