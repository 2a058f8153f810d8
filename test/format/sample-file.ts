/** Small packed files for the tests, and forged ones. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Directory, GenerationDefaults, ModelConfig } from "../../src/format/directory.ts";
import { type FileContents, PackedFileWriter } from "../../src/format/writer.ts";
import {
  denseTensor,
  int4Tensor,
  q6kTensor,
  q8Tensor,
  type SampleTensor,
  type Scale,
  sherryTensor,
} from "./sample-tensors.ts";

export {
  denseTensor,
  int4Tensor,
  q6kTensor,
  q8Tensor,
  randomNumbers,
  type SampleTensor,
  sherryTensor,
} from "./sample-tensors.ts";

export const CONFIG: ModelConfig = {
  architecture: "llama",
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 1,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 8,
  max_position_embeddings: 512,
  vocab_size: 70,
  rms_norm_eps: 1e-5,
  query_key_norm: "none",
  rope_theta: 10_000,
  rope_scaling: null,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_ids: [2],
};

export const GENERATION: GenerationDefaults = {
  do_sample: true,
  temperature: 0.7,
  top_k: null,
  top_p: 0.9,
  min_p: null,
  repetition_penalty: null,
};

export const TOKENIZER = new TextEncoder().encode('{"version":"1.0","model":{"type":"BPE"}}');

export const CONTENTS: FileContents = {
  label: "made for a test",
  config: CONFIG,
  generation: GENERATION,
  tokenizer: TOKENIZER,
  tokenizer_config: { bos_token: "<s>", model_max_length: 1e30, added: { "1": { content: "é" } } },
  chat_template: "{{ messages[0]['content'] }}",
  provenance: { packer: "test", packer_version: "1", linear: "sherry", embedding: "q8", scale: "auto" },
};

/** Every kind, padded rows, padded columns and short last groups, in about 60 KB. */
export function sampleTensors(): SampleTensor[] {
  const scale = (
    granularity: Scale["granularity"],
    group_columns: Scale["group_columns"],
    element: Scale["element"],
  ) => ({ granularity, group_columns, element });
  return [
    q8Tensor("model.embed_tokens.weight", 35, 44, 1),
    denseTensor("model.layers.0.input_layernorm.weight", [64], "f32", 2),
    sherryTensor("model.layers.0.self_attn.q_proj.weight", 64, 64, scale("tensor", 0, "f32"), 3),
    sherryTensor("model.layers.0.self_attn.k_proj.weight", 65, 36, scale("channel", 0, "f32"), 4),
    sherryTensor("model.layers.0.mlp.gate_proj.weight", 33, 300, scale("group", 128, "f16"), 5),
    sherryTensor("model.layers.0.mlp.up_proj.weight", 3, 100, scale("group", 32, "bf16"), 6),
    denseTensor("model.layers.0.self_attn.v_proj.weight", [5, 7], "f16", 7),
    denseTensor("model.layers.0.self_attn.o_proj.weight", [3, 5], "bf16", 8),
    sherryTensor("strided", 3, 128, scale("group", 256, "f16"), 10, "strided"),
    q6kTensor("q6k", 3, 512, 11),
    int4Tensor("int4", 9, 44, 12),
  ];
}

/** Hands a tensor's bytes over in pieces of a prime size, as a packer's row tiles would come. */
export async function addSample(writer: PackedFileWriter, tensor: SampleTensor, piece_bytes = 997) {
  return writer.addTensor(tensor, (sink) => {
    for (let offset = 0; offset < tensor.content.length; offset += piece_bytes) {
      sink(tensor.content.subarray(offset, offset + piece_bytes));
    }
  });
}

/** The bytes of a whole file. */
export async function packSample(
  tensors: readonly SampleTensor[] = sampleTensors(),
  contents: FileContents = CONTENTS,
): Promise<Uint8Array> {
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, "sample.sherry");
    const writer = PackedFileWriter.create(path);
    for (const tensor of tensors) await addSample(writer, tensor);
    await writer.finish(contents);
    return new Uint8Array(readFileSync(path));
  });
}

export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "sherry-format-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Bun.CryptoHasher("sha256").update(bytes).digest());
}

/** Recomputes the header's own checksum after its fields were tampered with. */
export function signHeader(file: Uint8Array): Uint8Array {
  file.set(hash(file.subarray(0, 96)), 96);
  return file;
}

/** The same file with other directory bytes, sizes and checksums put right: a forger's work. */
export function withDirectoryText(file: Uint8Array, text: string | Uint8Array): Uint8Array {
  const directory = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const offset = directoryOffset(file);
  const result = new Uint8Array(offset + directory.length);
  result.set(file.subarray(0, offset));
  result.set(directory, offset);
  const view = new DataView(result.buffer);
  view.setBigUint64(16, BigInt(result.length), true);
  view.setBigUint64(32, BigInt(directory.length), true);
  result.set(hash(directory), 64);
  return signHeader(result);
}

export function directoryOffset(file: Uint8Array): number {
  return Number(new DataView(file.buffer, file.byteOffset).getBigUint64(24, true));
}

export function directoryText(file: Uint8Array): string {
  return new TextDecoder().decode(file.subarray(directoryOffset(file)));
}

/** A directory that a test may change at will. */
export type Forgery = { -readonly [Key in keyof Directory]: Directory[Key] };

/** The same file with its directory changed by `edit`, re-signed. The edit returns nothing or another whole value. */
export function withDirectory(file: Uint8Array, edit: (directory: Forgery) => unknown): Uint8Array {
  const directory: Forgery = JSON.parse(directoryText(file));
  const result = edit(directory);
  return withDirectoryText(file, JSON.stringify(result === undefined ? directory : result));
}
