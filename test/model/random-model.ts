/**
 * Tiny random models of the three families as Hugging Face folders (seeded), packed by the real packer: what the tests
 * of the forward pass run on.
 */
import { openFileSource } from "../../src/format/byte-source.ts";
import { isDense } from "../../src/format/layout.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import type { KeyValueElement } from "../../src/native/weight.ts";
import type { PackOptions } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { randomNumbers } from "../format/sample-file.ts";
import { type TemporaryFolder, type TestTensor, writeFolder } from "../packing/checkpoint-folder.ts";
import type { ReferenceConfig, ReferenceModel } from "./reference-forward.ts";

/** As the checkpoints name them. */
const HEAD_NORM_NAMES = {
  llama: [],
  qwen3: ["self_attn.q_norm", "self_attn.k_norm"],
  hunyuan_v1_dense: ["self_attn.query_layernorm", "self_attn.key_layernorm"],
};

/** Normal numbers (Box and Muller 1958) from uniform ones. */
function normalNumbers(seed: number): () => number {
  const uniform = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Every tensor of the family. Matrices keep a vector's length about as it is; norm weights lie around 1. */
export function randomTensors(config: ReferenceConfig, seed: number): Map<string, TestTensor> {
  const normal = normalNumbers(seed);
  const tensors = new Map<string, TestTensor>();
  const add = (name: string, shape: readonly number[], next: () => number) => {
    const length = shape.reduce((product, size) => product * size, 1);
    tensors.set(`${name}.weight`, { shape, dtype: "F32", weights: Float32Array.from({ length }, next) });
  };
  const matrix = (name: string, rows: number, columns: number) =>
    add(name, [rows, columns], () => normal() / Math.sqrt(columns));
  const norm = (name: string, size: number) => add(name, [size], () => 1 + normal() / 4);
  const { hidden_size, intermediate_size, head_dim, vocab_size } = config;
  const query_size = config.num_attention_heads * head_dim;
  const key_value_size = config.num_key_value_heads * head_dim;
  add("model.embed_tokens", [vocab_size, hidden_size], normal);
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    matrix(`${prefix}.self_attn.q_proj`, query_size, hidden_size);
    matrix(`${prefix}.self_attn.k_proj`, key_value_size, hidden_size);
    matrix(`${prefix}.self_attn.v_proj`, key_value_size, hidden_size);
    matrix(`${prefix}.self_attn.o_proj`, hidden_size, query_size);
    matrix(`${prefix}.mlp.gate_proj`, intermediate_size, hidden_size);
    matrix(`${prefix}.mlp.up_proj`, intermediate_size, hidden_size);
    matrix(`${prefix}.mlp.down_proj`, hidden_size, intermediate_size);
    norm(`${prefix}.input_layernorm`, hidden_size);
    norm(`${prefix}.post_attention_layernorm`, hidden_size);
    for (const name of HEAD_NORM_NAMES[config.model_type]) norm(`${prefix}.${name}`, head_dim);
  }
  norm("model.norm", hidden_size);
  if (!config.tie_word_embeddings) matrix("lm_head", vocab_size, hidden_size);
  return tensors;
}

export type Kinds = Pick<PackOptions, "linear" | "embedding"> & Partial<Pick<PackOptions, "scale">>;

/** Makes the checkpoint in `folder` and packs it, the head as the embedding. Gives the packed file's path back. */
export async function packRandomModel(
  folder: TemporaryFolder,
  config: ReferenceConfig,
  seed: number,
  kinds: Kinds,
  tensors: Map<string, TestTensor> = randomTensors(config, seed),
): Promise<string> {
  const input = writeFolder(folder.at("checkpoint"), { config: { ...config }, tensors });
  const output = folder.at("model.sherry");
  await packCheckpoint({ input, output, head: null, scale: "auto", label: null, ...kinds });
  return output;
}

/** The reference on a packed file's own weights, kernels and cache. */
export function packedReference(
  path: string,
  config: ReferenceConfig,
  key_value_element: KeyValueElement,
): ReferenceModel {
  const source = openFileSource(path);
  const { directory } = readPackedFile(source);
  const tensors = new Map(
    directory.tensors.map((entry) => {
      const weights = unpackTensor(entry, source.read(entry.offset, entry.bytes));
      return [entry.name, { weights, reads_int8: !isDense(entry.kind) }];
    }),
  );
  source.close();
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`${name} is not in the packed file`);
    return tensor;
  };
  return {
    config,
    weight: (name) => find(name).weights,
    readsInt8: (name) => find(name).reads_int8,
    keep: KEPT[key_value_element],
  };
}

/** What a cache makes of a head. */
const KEPT: Readonly<Record<KeyValueElement, (head: Float64Array) => Float64Array>> = {
  f32: (head) => head,
  f16: (head) => head.map(Math.f16round),
  q8: (head) => {
    const largest = head.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return head.map((value) => (roundHalfEven((value / largest) * 127) * largest) / 127);
  },
};

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
