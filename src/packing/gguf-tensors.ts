/**
 * The tensors of a GGUF model as the packer takes tensors: rows of f32, f16 or bf16 elements that are read by ranges.
 * Blocks of any other type are decoded to f32 as they are read, which is exact, so that nothing but a few rows is ever
 * held; the blocks themselves stay within reach for writers that keep them.
 */
import type { ByteSource } from "../format/byte-source.ts";
import type { FloatElement, TensorShape } from "../format/directory.ts";
import { elementBytes } from "../format/layout.ts";
import {
  type CheckpointTensor,
  checkStoredShape,
  missingTensor,
  type TensorStore,
} from "./checkpoint-weights.ts";
import type { GgufModel, GgufModelTensor } from "./gguf/model.ts";
import type { GgufTensorType } from "./gguf/tensor-types.ts";

/** Types whose bytes are the elements already. */
const PLAIN_ELEMENTS: Readonly<Partial<Record<GgufTensorType, FloatElement>>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
};

const AUTHORITY = "the metadata";

/** The tensors of an open model, which the caller closes by this store. */
export class GgufWeights implements TensorStore {
  readonly warnings: readonly string[] = [];
  readonly #model: GgufModel;

  constructor(model: GgufModel) {
    this.#model = model;
  }

  names(): readonly string[] {
    return [...this.#model.tensors.keys()];
  }

  has(name: string): boolean {
    return this.#model.tensors.has(name);
  }

  /** @throws SherryError checkpoint_invalid when it is missing or of another shape */
  tensor(name: string, shape: TensorShape): CheckpointTensor {
    const blocks = this.#model.tensors.get(name);
    if (blocks === undefined) throw missingTensor(name, shape, AUTHORITY);
    checkStoredShape(name, blocks.shape, shape, AUTHORITY);
    const plain = PLAIN_ELEMENTS[blocks.type];
    const element = plain ?? "f32";
    const row_bytes = blocks.columns * elementBytes(element);
    const readRows = plain === undefined ? decodedRows(blocks) : blocks.readBlocks;
    const bytes = blocks.rows * row_bytes;
    const source: ByteSource = {
      bytes,
      // The packer reads whole rows only.
      read: (offset, length) => readRows(offset / row_bytes, length / row_bytes),
    };
    return { name, shape, element, source, offset: 0, bytes, blocks };
  }

  close(): void {
    this.#model.close();
  }
}

/** Weights that are not finite stay in the result, where the reader of the rows finds them and names their place. */
function decodedRows(blocks: GgufModelTensor): (first_row: number, row_count: number) => Uint8Array {
  return (first_row, row_count) => {
    const weights = new Float32Array(row_count * blocks.columns);
    blocks.decode(first_row, weights);
    return new Uint8Array(weights.buffer);
  };
}
