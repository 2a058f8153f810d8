/**
 * Small packed files for the tests, and an encoder of tensors that shares nothing with src/format: it is written from
 * docs/format.md's tables, so that the two cannot be wrong in the same way.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  Directory,
  GenerationDefaults,
  ModelConfig,
  TensorDescription,
} from "../../src/format/directory.ts";
import { type FileContents, PackedFileWriter } from "../../src/format/writer.ts";

/** mulberry32 (T. Ettinger, public domain): the same numbers in [0, 1) for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

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

/** A tensor with its bytes and, where a test compares, the weights that they stand for. */
export interface SampleTensor extends TensorDescription {
  readonly name: string;
  readonly content: Uint8Array;
  readonly weights: Float32Array;
}

type Scale = NonNullable<TensorDescription["scale"]>;

/** Rows of a tile in the order in which an index vector holds them, low nibbles; high nibbles are 32 rows further. */
const ROW_ORDER = [
  0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28,
  29, 30, 31,
];

const roundedUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Random weights on the 3:4 grid. */
export function sherryTensor(
  name: string,
  rows: number,
  columns: number,
  scale: Scale,
  seed: number,
): SampleTensor {
  const random = randomNumbers(seed);
  const [padded_rows, chunks] = [roundedUp(rows, 64), Math.ceil(columns / 32)];
  const groups = scale.granularity === "group" ? Math.ceil(columns / scale.group_columns) : 1;
  const scales_offset = (padded_rows / 64) * chunks * 320;
  const scales_count = scale.granularity === "tensor" ? 1 : padded_rows * groups;
  const content = new Uint8Array(scales_offset + scales_count * (scale.element === "f32" ? 4 : 2));
  const scales = new Map<number, number>();
  const scaleOf = (row: number, column: number) => {
    const by_group =
      (Math.floor(row / 64) * groups + Math.floor(column / scale.group_columns)) * 64 + (row % 64);
    const index = { tensor: 0, channel: row, group: by_group }[scale.granularity];
    const known = scales.get(index) ?? writeFloat(content, scales_offset, index, scale.element, random());
    scales.set(index, known);
    return known;
  };
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 4) {
      const magnitude = scaleOf(row, column);
      const zero = Math.floor(random() * 4);
      const signs = [0, 1, 2].map(() => random() < 0.5);
      const kept = [0, 1, 2, 3].filter((position) => position !== zero);
      kept.forEach((position, order) => {
        weights[row * columns + column + position] = signs[order] === true ? -magnitude : magnitude;
      });
      writeCode(content, { row, column, chunks, zero, signs });
    }
  }
  return { name, kind: "sherry", shape: [rows, columns], scale, content, weights };
}

function writeCode(
  content: Uint8Array,
  code: { row: number; column: number; chunks: number; zero: number; signs: boolean[] },
): void {
  const { row, column, chunks, zero, signs } = code;
  const chunk_offset = (Math.floor(row / 64) * chunks + Math.floor(column / 32)) * 320;
  const block = Math.floor((column % 32) / 4);
  const byte = ROW_ORDER.indexOf(row % 32);
  const high = row % 64 >= 32;
  const nibble = zero * 4 + (signs[1] !== signs[0] ? 2 : 0) + (signs[2] !== signs[0] ? 1 : 0);
  orInto(content, chunk_offset + block * 32 + byte, high ? nibble * 16 : nibble);
  orInto(content, chunk_offset + 256 + (high ? 32 : 0) + byte, signs[0] === true ? 128 >> block : 0);
}

function orInto(content: Uint8Array, offset: number, bits: number): void {
  content[offset] = (content[offset] ?? 0) | bits;
}

/** Writes a random-looking number and gives back what was really stored. */
function writeFloat(
  content: Uint8Array,
  offset: number,
  index: number,
  element: "f32" | "f16" | "bf16",
  value: number,
): number {
  const view = new DataView(content.buffer, content.byteOffset);
  if (element === "f32") {
    view.setFloat32(offset + index * 4, value, true);
    return view.getFloat32(offset + index * 4, true);
  }
  if (element === "f16") {
    view.setFloat16(offset + index * 2, value, true);
    return view.getFloat16(offset + index * 2, true);
  }
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  view.setUint16(offset + index * 2, bits >>> 16, true);
  return new Float32Array(Uint32Array.of((bits >>> 16) << 16).buffer)[0] ?? 0;
}

export function q8Tensor(name: string, rows: number, columns: number, seed: number): SampleTensor {
  const random = randomNumbers(seed);
  const padded_columns = roundedUp(columns, 32);
  const scales_offset = roundedUp(rows * padded_columns, 64);
  const content = new Uint8Array(scales_offset + (rows * padded_columns) / 16);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let group = 0; group < padded_columns / 32; group += 1) {
      const index = row * (padded_columns / 32) + group;
      const scale = writeFloat(content, scales_offset, index, "f16", random());
      for (let column = group * 32; column < Math.min(columns, group * 32 + 32); column += 1) {
        const value = Math.floor(random() * 256) - 128;
        content[row * padded_columns + column] = value;
        weights[row * columns + column] = value * scale;
      }
    }
  }
  return { name, kind: "q8", shape: [rows, columns], scale: null, content, weights };
}

export function denseTensor(
  name: string,
  shape: TensorDescription["shape"],
  kind: "f32" | "f16" | "bf16",
  seed: number,
): SampleTensor {
  const random = randomNumbers(seed);
  const [rows, columns = 1] = shape;
  const content = new Uint8Array(rows * columns * (kind === "f32" ? 4 : 2));
  const weights = Float32Array.from({ length: rows * columns }, (_, index) =>
    writeFloat(content, 0, index, kind, random() * 2 - 1),
  );
  return { name, kind, shape, scale: null, content, weights };
}

/** Every kind, padded rows, padded columns and short last groups, in about 50 KB. */
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
