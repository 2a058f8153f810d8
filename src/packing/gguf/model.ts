/**
 * A model in GGUF seen as the Hugging Face checkpoint it was made from: config, tokenizer files, and tensors by Hugging
 * Face's names with their rows in Hugging Face's order. Whoever packs it need not know that it was a GGUF file.
 */
import { type GgufTokenizer, tokenizerFromGguf } from "../../tokenizer/from-gguf.ts";
import { type GgufConfig, readGgufConfig } from "./config.ts";
import { decodeRows } from "./decode.ts";
import type { GgufTensor } from "./part.ts";
import { openGguf } from "./reader.ts";
import { matrixOf, readRows } from "./rows.ts";
import { mapTensorNames } from "./tensor-names.ts";
import type { GgufTensorType } from "./tensor-types.ts";

/** A tensor under its Hugging Face name. A vector is one row. */
export interface GgufModelTensor {
  readonly name: string;
  /** The name in the file. */
  readonly gguf_name: string;
  readonly type: GgufTensorType;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], or [columns] of a vector. */
  readonly shape: readonly [number] | readonly [number, number];
  /** All its bytes in the file. */
  readonly bytes: number;
  /** The blocks of some rows, one row after the other: fresh bytes. @throws SherryError, see readRows */
  readBlocks(first_row: number, row_count: number): Uint8Array;
  /**
   * The weights of the rows from `first_row` on, as many as `weights` has room for.
   * @returns the index of the first weight that is not finite; null when all are
   * @throws SherryError, see readRows
   */
  decode(first_row: number, weights: Float32Array): number | null;
}

export interface GgufModel extends GgufConfig {
  readonly tokenizer: GgufTokenizer;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, GgufModelTensor>;
  /** Closes the file or files. Safe to call twice. */
  close(): void;
}

/** Tensors whose rows a llama's converter permutes. */
const PERMUTED_NAME = /\.self_attn\.[qk]_proj\.weight$/;

/**
 * @param path the file, or the first of several
 * @throws SherryError file_not_found, file_unreadable, checkpoint_invalid, checkpoint_unsupported, tokenizer_invalid,
 *   tokenizer_unsupported
 */
export function openGgufModel(path: string): GgufModel {
  const file = openGguf(path);
  try {
    const config = readGgufConfig(file);
    const tensors = new Map<string, GgufModelTensor>();
    for (const [name, gguf_name] of mapTensorNames(config.architecture, file.tensors.keys())) {
      const tensor = file.tensors.get(gguf_name);
      const head_dim = PERMUTED_NAME.test(name) ? config.permuted_head_dim : null;
      if (tensor !== undefined) tensors.set(name, modelTensor(name, tensor, head_dim));
    }
    return { ...config, tokenizer: tokenizerFromGguf(file.metadata), tensors, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function modelTensor(name: string, tensor: GgufTensor, head_dim: number | null): GgufModelTensor {
  const { rows, columns } = matrixOf(tensor);
  const readBlocks = (first_row: number, row_count: number) =>
    readRows(tensor, first_row, row_count, head_dim);
  return {
    name,
    gguf_name: tensor.name,
    type: tensor.type,
    rows,
    columns,
    shape: tensor.dimensions.length === 1 ? [columns] : [rows, columns],
    bytes: tensor.bytes,
    readBlocks,
    decode: (first_row, weights) =>
      decodeRows(readBlocks(first_row, weights.length / columns), tensor.type, columns, weights),
  };
}
