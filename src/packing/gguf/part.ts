/**
 * One GGUF file (versions 2 and 3): header, metadata and tensor list, read strictly and with bounds, as the bytes come
 * from outside.
 * Source: the format's description (ggml, docs/gguf.md) and, for what a sound file must keep to, ggml's own reader.
 */
import type { ByteSource } from "../../format/byte-source.ts";
import { TENSOR_COUNT_MAX, TENSOR_DIMENSION_MAX, TENSOR_NAME_LENGTH_MAX } from "../../limits.ts";
import { excerpt } from "../excerpt.ts";
import { Cursor } from "./cursor.ts";
import {
  GGUF_ALIGNMENT_MAX,
  GGUF_ALIGNMENT_MIN,
  GGUF_DIMENSION_COUNT_MAX,
  GGUF_METADATA_COUNT_MAX,
} from "./limits.ts";
import { ENTRY_BYTES_MIN, GgufMetadata } from "./metadata.ts";
import { invalid, unsupported } from "./refusals.ts";
import { blockSize, bytesOf, type GgufTensorType, resolveTensorType } from "./tensor-types.ts";

/** One tensor: its blocks lie row after row in `source` from `offset` on. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgufTensorType;
  /** [columns, rows, ...]: the first runs fastest, as GGUF has it. */
  readonly dimensions: readonly number[];
  /** Hugging Face's order: [rows, columns], or [columns] of a vector. */
  readonly shape: readonly number[];
  readonly source: ByteSource;
  readonly file_name: string;
  readonly offset: number;
  readonly bytes: number;
}

/** One file of a model. */
export interface GgufPart {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: GgufMetadata;
  /** In the order of the file's list. */
  readonly tensors: readonly GgufTensor[];
}

interface TensorInfo {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly elements: number;
  readonly type_id: number;
  /** From the start of the data. */
  readonly offset: number;
}

/** "GGUF", little-endian. */
const MAGIC = 0x46554747;
const DEFAULT_ALIGNMENT = 32;
/** A name's length, one dimension, type and offset. */
const TENSOR_INFO_BYTES_MIN = 8 + 4 + 8 + 4 + 8;

/**
 * Reads one file's header.
 * @param file_name how messages name the file
 * @throws SherryError checkpoint_invalid | checkpoint_unsupported | format_invalid (the file shrinks meanwhile)
 */
export function readGgufPart(source: ByteSource, file_name: string): GgufPart {
  const cursor = new Cursor(source, file_name);
  const magic = cursor.uint32("the magic");
  if (magic !== MAGIC) {
    const hexadecimal = magic.toString(16).padStart(8, "0");
    throw invalid(file_name, 'a GGUF file, which begins with "GGUF"', `the first word ${hexadecimal}`);
  }
  const version = readVersion(cursor, file_name);
  const tensor_count = cursor.count("the count of tensors", TENSOR_COUNT_MAX, 1);
  const metadata_count = cursor.count(
    "the count of metadata entries",
    GGUF_METADATA_COUNT_MAX,
    ENTRY_BYTES_MIN,
  );
  const metadata = GgufMetadata.read(cursor, source, metadata_count, file_name);
  if (tensor_count * TENSOR_INFO_BYTES_MIN > cursor.remaining) {
    throw invalid(
      `${file_name}: the count of tensors`,
      `at most ${Math.floor(cursor.remaining / TENSOR_INFO_BYTES_MIN)}`,
      String(tensor_count),
    );
  }
  const infos = Array.from({ length: tensor_count }, (_, index) => readTensorInfo(cursor, index, file_name));
  const names = new Set<string>();
  for (const { name } of infos) {
    if (names.has(name)) throw tensorTwice(file_name, name);
    names.add(name);
  }
  const alignment = readAlignment(metadata);
  const tensors = placeTensors(infos, source, roundUp(cursor.position, alignment), alignment, file_name);
  return { version, alignment, metadata, tensors };
}

function readVersion(cursor: Cursor, file_name: string): number {
  const version = cursor.uint32("the version");
  if (version === 2 || version === 3) return version;
  // The other byte order moves a small version into the word's top byte.
  const swapped = version >= 0x1000000 && version % 0x10000 === 0;
  throw unsupported(
    `${file_name}: version`,
    "2 or 3, little-endian",
    swapped ? `${version >>> 24}, big-endian` : String(version),
    "Convert the model with a current converter",
  );
}

function readAlignment(metadata: GgufMetadata): number {
  const alignment = metadata.integer("general.alignment", GGUF_ALIGNMENT_MIN, GGUF_ALIGNMENT_MAX);
  if (alignment === undefined) return DEFAULT_ALIGNMENT;
  if (Number.isInteger(Math.log2(alignment))) return alignment;
  throw metadata.invalid("general.alignment", "a power of two");
}

function readTensorInfo(cursor: Cursor, index: number, file_name: string): TensorInfo {
  const name = cursor.text(`the name of tensor ${index}`, TENSOR_NAME_LENGTH_MAX);
  const where = `${file_name}: tensor ${excerpt(name)}`;
  if (name === "") throw invalid(`${file_name}: the name of tensor ${index}`, "a name", "an empty text");
  const rank = cursor.uint32("a count of dimensions");
  if (rank < 1 || rank > GGUF_DIMENSION_COUNT_MAX) {
    throw invalid(where, `1 to ${GGUF_DIMENSION_COUNT_MAX} dimensions`, String(rank));
  }
  const dimensions: number[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const size = cursor.uint64("a dimension");
    if (size < 1n || size > BigInt(TENSOR_DIMENSION_MAX)) {
      throw invalid(`${where}: dimension ${axis}`, `1 to ${TENSOR_DIMENSION_MAX}`, String(size));
    }
    dimensions.push(Number(size));
  }
  const elements = dimensions.reduce((so_far, size) => so_far * size, 1);
  // Eight bytes an element are more than any type takes, so every product below stays exact.
  if (!Number.isSafeInteger(elements * 8)) {
    throw invalid(where, "fewer than 2^50 elements", `[${dimensions.join(", ")}]`);
  }
  const type_id = cursor.uint32("a tensor's type");
  const offset = cursor.uint64("a tensor's offset");
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid(`${where}: offset`, "one within the file", String(offset));
  }
  return { name, dimensions, elements, type_id, offset: Number(offset) };
}

/**
 * Types, sizes and places, which depend on each other: tensors lie one after the other, each padded to the alignment,
 * so the room up to the next one says how large a tensor is.
 */
function placeTensors(
  infos: readonly TensorInfo[],
  source: ByteSource,
  data_offset: number,
  alignment: number,
  file_name: string,
): GgufTensor[] {
  const data_bytes = Math.max(0, source.bytes - data_offset);
  const by_offset = [...infos].sort((left, right) => left.offset - right.offset);
  const placed = new Map<TensorInfo, GgufTensor>();
  let expected_offset = 0;
  for (const [index, info] of by_offset.entries()) {
    const where = `${file_name}: tensor ${excerpt(info.name)}`;
    if (info.offset !== expected_offset) {
      const problem =
        info.offset < expected_offset ? "an overlap with the tensor before it" : "a gap before it";
      throw invalid(`${where}: offset`, String(expected_offset), `${info.offset}, ${problem}`);
    }
    const end = by_offset[index + 1]?.offset ?? data_bytes;
    const extent_bytes = Math.max(0, end - info.offset);
    const columns = info.dimensions[0] ?? 0;
    const type = resolveTensorType({ where, ...info, columns, extent_bytes, alignment });
    const bytes = bytesOf(blockSize(type), columns, info.elements);
    if (bytes === null) {
      throw invalid(
        `${where}: columns`,
        `a multiple of ${blockSize(type).columns} for ${type}`,
        String(columns),
      );
    }
    if (info.offset + bytes > data_bytes) {
      throw invalid(where, `${bytes} bytes of ${type}`, `the file's end after ${data_bytes - info.offset}`);
    }
    const shape = [...info.dimensions].reverse();
    const { name, dimensions } = info;
    const offset = data_offset + info.offset;
    placed.set(info, { name, type, dimensions, shape, source, file_name, offset, bytes });
    expected_offset = roundUp(info.offset + bytes, alignment);
  }
  const end = infos.length === 0 ? data_offset : data_offset + expected_offset;
  if (source.bytes > end) throw invalid(file_name, `the file's end at ${end}`, `${source.bytes} bytes`);
  return infos.flatMap((info) => placed.get(info) ?? []);
}

/** The refusal of a name that a file, or two parts of a model, use twice. */
export function tensorTwice(file_name: string, name: string): Error {
  return invalid(`${file_name}: tensor ${excerpt(name)}`, "each tensor once", "it twice");
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
