/**
 * Writes a GGUF file, version 3: metadata and tensors in the order they are given, so that the same input makes the same
 * bytes. The file takes its target's place only when it is whole.
 * Source: the format's description (ggml, docs/gguf.md).
 */
import { SherryError } from "../../errors.ts";
import { PartialFile } from "../../format/partial-file.ts";
import { TENSOR_DIMENSION_MAX } from "../../limits.ts";
import { GGUF_ALIGNMENT_MAX, GGUF_ALIGNMENT_MIN, GGUF_DIMENSION_COUNT_MAX } from "./limits.ts";
import { blockSize, bytesOf, type GgufTensorType, STQ1_0_LEGACY_ID, tensorTypeId } from "./tensor-types.ts";
import {
  type ElementType,
  type ScalarType,
  scalarBytes,
  type ValueType,
  valueTypeId,
} from "./value-types.ts";

/** A value with the type it is stored as. Integers may be bigint; bools are 0 or 1. */
export type GgufValue =
  | { readonly type: ScalarType; readonly value: number | bigint }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly element: ScalarType; readonly values: Iterable<number | bigint> }
  | { readonly type: "array"; readonly element: "string"; readonly values: Iterable<string> };

/** Takes the next bytes of a tensor; they may be reused as soon as it returns. */
export type GgufSink = (bytes: Uint8Array) => void;

export interface GgufTensorToWrite {
  readonly name: string;
  readonly type: GgufTensorType;
  /** [columns, rows, ...]. */
  readonly dimensions: readonly number[];
  /** Hands the tensor's blocks to the sink in order, in pieces of any size. */
  readonly write: (sink: GgufSink) => void | Promise<void>;
}

export interface GgufContents {
  /** Without general.alignment, which comes from `alignment`. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorToWrite[];
  /** A power of two; GGUF's default of 32 is written into the metadata only when it is another. */
  readonly alignment?: number;
  /** Writes STQ1_0 as 42, as the files published before ggml gave that number away have it. */
  readonly legacy_stq1_id?: boolean;
}

const DEFAULT_ALIGNMENT = 32;
const ALIGNMENT_KEY = "general.alignment";

interface PlacedTensor extends GgufTensorToWrite {
  readonly bytes: number;
  /** From the start of the data. */
  readonly offset: number;
}

/**
 * @throws SherryError argument_invalid for contents that no GGUF file can hold, and when a tensor's `write` gives more or
 *   fewer bytes than its type and dimensions take; file_unwritable; and whatever `write` throws
 */
export async function writeGguf(path: string, contents: GgufContents): Promise<{ file_bytes: number }> {
  const alignment = checkAlignment(contents);
  const tensors = placeTensors(contents.tensors, alignment);
  const header = encodeHeader(contents, tensors, alignment);
  const last = tensors.at(-1);
  const file_bytes =
    last === undefined ? header.length : header.length + roundUp(last.offset + last.bytes, alignment);
  const file = PartialFile.create(path);
  try {
    for (const tensor of tensors) await writeTensor(file, tensor, header.length + tensor.offset);
    // The last tensor is padded like every other one: the file grows by zeros up to its last byte.
    if (last !== undefined && last.offset + last.bytes < file_bytes - header.length) {
      file.write(new Uint8Array(1), file_bytes - 1);
    }
    file.commit(header);
  } catch (error) {
    file.discard();
    throw error;
  }
  return { file_bytes };
}

async function writeTensor(file: PartialFile, tensor: PlacedTensor, offset: number): Promise<void> {
  let written = 0;
  const refuse = (received: string) =>
    new SherryError("argument_invalid", `the bytes of tensor ${tensor.name}`, {
      expected: `${tensor.bytes} for ${tensor.type} [${tensor.dimensions.join(", ")}]`,
      received,
    });
  await tensor.write((piece) => {
    if (piece.length > tensor.bytes - written) throw refuse(`at least ${written + piece.length}`);
    file.write(piece, offset + written);
    written += piece.length;
  });
  if (written !== tensor.bytes) throw refuse(String(written));
}

function checkAlignment({ alignment = DEFAULT_ALIGNMENT, metadata }: GgufContents): number {
  const in_range = alignment >= GGUF_ALIGNMENT_MIN && alignment <= GGUF_ALIGNMENT_MAX;
  if (!in_range || !Number.isInteger(Math.log2(alignment))) {
    throw new SherryError("argument_invalid", "alignment", {
      expected: `a power of two from ${GGUF_ALIGNMENT_MIN} to ${GGUF_ALIGNMENT_MAX}`,
      received: String(alignment),
    });
  }
  if (!metadata.has(ALIGNMENT_KEY)) return alignment;
  throw new SherryError("argument_invalid", "metadata", {
    expected: `no ${ALIGNMENT_KEY}, which the alignment option sets`,
    received: "one",
  });
}

function placeTensors(tensors: readonly GgufTensorToWrite[], alignment: number): PlacedTensor[] {
  const names = new Set<string>();
  let offset = 0;
  return tensors.map((tensor) => {
    const { name, type, dimensions } = tensor;
    if (name === "" || names.has(name)) {
      throw new SherryError("argument_invalid", "tensor names", {
        expected: "each once, and none empty",
        received: JSON.stringify(name),
      });
    }
    names.add(name);
    const bytes = tensorBytes(type, dimensions);
    if (bytes === null) {
      throw new SherryError("argument_invalid", `the dimensions of tensor ${name}`, {
        expected: `1 to ${GGUF_DIMENSION_COUNT_MAX} sizes, the first a multiple of ${blockSize(type).columns} for ${type}`,
        received: `[${dimensions.join(", ")}]`,
      });
    }
    const placed = { ...tensor, bytes, offset };
    offset = roundUp(offset + bytes, alignment);
    return placed;
  });
}

function tensorBytes(type: GgufTensorType, dimensions: readonly number[]): number | null {
  const sound = (size: number) => Number.isInteger(size) && size >= 1 && size <= TENSOR_DIMENSION_MAX;
  const [columns] = dimensions;
  if (columns === undefined || dimensions.length > GGUF_DIMENSION_COUNT_MAX || !dimensions.every(sound))
    return null;
  const elements = dimensions.reduce((so_far, size) => so_far * size, 1);
  return Number.isSafeInteger(elements * 8) ? bytesOf(blockSize(type), columns, elements) : null;
}

/** All bytes before the data, padded to the alignment. */
function encodeHeader(
  contents: GgufContents,
  tensors: readonly PlacedTensor[],
  alignment: number,
): Uint8Array {
  const entries: [string, GgufValue][] = [...contents.metadata];
  if (alignment !== DEFAULT_ALIGNMENT) entries.push([ALIGNMENT_KEY, { type: "uint32", value: alignment }]);
  const header = new HeaderBytes();
  header.ascii("GGUF");
  header.scalar("uint32", 3);
  header.scalar("uint64", tensors.length);
  header.scalar("uint64", entries.length);
  for (const [key, value] of entries) {
    header.text(key);
    header.value(value);
  }
  for (const { name, type, dimensions, offset } of tensors) {
    header.text(name);
    header.scalar("uint32", dimensions.length);
    for (const size of dimensions) header.scalar("uint64", size);
    const legacy = type === "STQ1_0" && contents.legacy_stq1_id === true;
    header.scalar("uint32", legacy ? STQ1_0_LEGACY_ID : tensorTypeId(type));
    header.scalar("uint64", offset);
  }
  return header.finish(tensors.length === 0 ? 1 : alignment);
}

/** Grows as it is written to. */
class HeaderBytes {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  ascii(text: string): void {
    this.#append(new TextEncoder().encode(text));
  }

  text(text: string): void {
    if (!text.isWellFormed()) {
      throw new SherryError("argument_invalid", "a text of the metadata", {
        expected: "whole characters",
        received: JSON.stringify(text.slice(0, 80)),
      });
    }
    const bytes = new TextEncoder().encode(text);
    this.scalar("uint64", bytes.length);
    this.#append(bytes);
  }

  value(value: GgufValue): void {
    this.#type(value.type);
    if (value.type === "string") this.text(value.value);
    else if (value.type !== "array") this.scalar(value.type, value.value);
    else if (value.element === "string") this.#array("string", [...value.values], (item) => this.text(item));
    else {
      const { element } = value;
      this.#array(element, [...value.values], (item) => this.scalar(element, item));
    }
  }

  scalar(type: ScalarType, value: number | bigint): void {
    const bytes = scalarBytes(type);
    this.#reserve(bytes);
    writeScalar(this.#view, this.#length, type, value);
    this.#length += bytes;
  }

  finish(alignment: number): Uint8Array {
    const length = roundUp(this.#length, alignment);
    this.#reserve(length - this.#length);
    return this.#bytes.subarray(0, length);
  }

  #array<Item>(element: ElementType, items: readonly Item[], write: (item: Item) => void): void {
    this.#type(element);
    this.scalar("uint64", items.length);
    for (const item of items) write(item);
  }

  #type(type: ValueType): void {
    this.scalar("uint32", valueTypeId(type));
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** The largest and smallest integer of each type; the DataView would wrap what lies outside. */
const INTEGER_BITS: Readonly<
  Partial<Record<ScalarType, { readonly bits: number; readonly signed: boolean }>>
> = {
  uint8: { bits: 8, signed: false },
  int8: { bits: 8, signed: true },
  uint16: { bits: 16, signed: false },
  int16: { bits: 16, signed: true },
  uint32: { bits: 32, signed: false },
  int32: { bits: 32, signed: true },
  bool: { bits: 1, signed: false },
  uint64: { bits: 64, signed: false },
  int64: { bits: 64, signed: true },
};

function writeScalar(view: DataView, offset: number, type: ScalarType, value: number | bigint): void {
  const range = INTEGER_BITS[type];
  if (range === undefined) {
    if (type === "float32") view.setFloat32(offset, Number(value), true);
    else view.setFloat64(offset, Number(value), true);
    return;
  }
  const whole = typeof value === "bigint" || Number.isInteger(value) ? BigInt(value) : null;
  const { bits, signed } = range;
  const wrapped = whole === null ? null : signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole);
  if (whole === null || wrapped !== whole) {
    throw new SherryError("argument_invalid", `a value of type ${type}`, {
      expected: `${signed ? "a signed" : "an unsigned"} integer of ${bits} bits`,
      received: String(value),
    });
  }
  for (let byte = 0; byte < scalarBytes(type); byte += 1) {
    view.setUint8(offset + byte, Number((whole >> BigInt(8 * byte)) & 255n));
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
