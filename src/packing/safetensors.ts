/**
 * The header of a safetensors file: eight bytes of length (little-endian), then JSON that gives each tensor's type, shape
 * and byte range; the tensors' bytes follow without gaps. Read strictly and with bounds, as the bytes come from outside.
 * Source: the format's description in the safetensors project (huggingface/safetensors, README, "Format").
 */
import { SherryError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import { SAFETENSORS_HEADER_BYTES_MAX, TENSOR_COUNT_MAX, TENSOR_NAME_LENGTH_MAX } from "../limits.ts";
import { describeValue, excerpt } from "./excerpt.ts";
import { isJsonObject, type JsonObject, parseJsonObject } from "./json-text.ts";

/** One tensor of a file: where its elements lie, counted from the file's start. */
export interface SafetensorsTensor {
  readonly name: string;
  /** As the file spells it: "F32", "BF16", ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

const LENGTH_BYTES = 8;
const OPEN_BRACE = 0x7b;
/** Dimensions of one tensor. */
const RANK_MAX = 16;

/** Bytes of one element, for every type whose elements are whole bytes. */
const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map([
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"].map((dtype) => [dtype, 1] as const),
  ...["U16", "I16", "F16", "BF16"].map((dtype) => [dtype, 2] as const),
  ...["U32", "I32", "F32"].map((dtype) => [dtype, 4] as const),
  ...["U64", "I64", "F64", "C64"].map((dtype) => [dtype, 8] as const),
]);

/**
 * The tensors of a file by name, in the order of their offsets.
 * @param file_name how messages name the file
 * @throws SherryError checkpoint_invalid when length, JSON, ranges, shapes or types contradict each other or the file's
 *   size; checkpoint_unsupported for an element type that this reader does not know
 */
export function readSafetensorsHeader(
  source: ByteSource,
  file_name: string,
): ReadonlyMap<string, SafetensorsTensor> {
  const header_bytes = readHeaderLength(source, file_name);
  const header = source.read(LENGTH_BYTES, header_bytes);
  if (header[0] !== OPEN_BRACE) {
    throw invalid(`${file_name}: the header`, "JSON that begins with {", `byte ${header[0]}`);
  }
  const entries = Object.entries(parseJsonObject(header, `${file_name}: the header`));
  if (entries.length > TENSOR_COUNT_MAX) {
    throw invalid(`${file_name}: tensors`, `at most ${TENSOR_COUNT_MAX}`, String(entries.length));
  }
  const data_offset = LENGTH_BYTES + header_bytes;
  const tensors: SafetensorsTensor[] = [];
  for (const [name, entry] of entries) {
    if (name === "__metadata__") checkMetadata(entry, file_name);
    else tensors.push(parseEntry(name, entry, data_offset, file_name));
  }
  tensors.sort((left, right) => left.offset - right.offset || left.bytes - right.bytes);
  checkCoverage(tensors, data_offset, source.bytes, file_name);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function readHeaderLength(source: ByteSource, file_name: string): number {
  if (source.bytes < LENGTH_BYTES) {
    throw invalid(file_name, "a safetensors file", `${source.bytes} bytes`);
  }
  const head = source.read(0, LENGTH_BYTES);
  const length = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  const room = source.bytes - LENGTH_BYTES;
  if (length < 2n || length > BigInt(Math.min(room, SAFETENSORS_HEADER_BYTES_MAX))) {
    throw invalid(
      `${file_name}: the header's length`,
      `2 to ${SAFETENSORS_HEADER_BYTES_MAX} bytes within the file's ${source.bytes}`,
      String(length),
    );
  }
  return Number(length);
}

function checkMetadata(entry: unknown, file_name: string): void {
  if (isJsonObject(entry) && Object.values(entry).every((value) => typeof value === "string")) return;
  throw invalid(`${file_name}: __metadata__`, "an object of texts", describeValue(entry));
}

function parseEntry(name: string, entry: unknown, data_offset: number, file_name: string): SafetensorsTensor {
  const where = `${file_name}: tensor ${excerpt(name)}`;
  if (name.length === 0 || name.length > TENSOR_NAME_LENGTH_MAX) {
    throw invalid(where, `a name of 1 to ${TENSOR_NAME_LENGTH_MAX} characters`, String(name.length));
  }
  if (!isJsonObject(entry)) throw invalid(where, "an object", describeValue(entry));
  const unknown_key = Object.keys(entry).find((key) => !["dtype", "shape", "data_offsets"].includes(key));
  if (unknown_key !== undefined) throw invalid(where, "dtype, shape and data_offsets", excerpt(unknown_key));
  const dtype = entry["dtype"];
  if (typeof dtype !== "string") throw invalid(`${where}: dtype`, "a text", describeValue(dtype));
  const shape = parseIntegers(entry, "shape", where);
  if (shape.length > RANK_MAX)
    throw invalid(`${where}: shape`, `at most ${RANK_MAX} sizes`, `${shape.length}`);
  const [begin = 0, end = 0, ...rest] = parseIntegers(entry, "data_offsets", where);
  if (rest.length > 0 || end < begin) {
    throw invalid(`${where}: data_offsets`, "[begin, end]", describeValue(entry["data_offsets"]));
  }
  checkBytes(where, dtype, shape, end - begin);
  return { name, dtype, shape, offset: data_offset + begin, bytes: end - begin };
}

function checkBytes(where: string, dtype: string, shape: readonly number[], bytes: number): void {
  const element_bytes = ELEMENT_BYTES.get(dtype);
  if (element_bytes === undefined) {
    throw new SherryError("checkpoint_unsupported", `${where}: dtype`, {
      expected: "F32, F16 or BF16",
      received: excerpt(dtype),
      next_step: "Convert the checkpoint to one of these types",
    });
  }
  // A product that leaves the exact integers is larger than any file, so it cannot equal `bytes` by accident.
  const expected = shape.reduce((so_far, size) => so_far * size, element_bytes);
  if (expected === bytes) return;
  throw invalid(where, `${expected} bytes for ${dtype} [${shape.join(", ")}]`, `a range of ${bytes}`);
}

function parseIntegers(entry: JsonObject, key: string, where: string): readonly number[] {
  const value = entry[key];
  const whole = (item: unknown): item is number => Number.isSafeInteger(item) && Number(item) >= 0;
  if (!Array.isArray(value) || !value.every(whole)) {
    throw invalid(`${where}: ${key}`, "an array of whole numbers", describeValue(value));
  }
  return value;
}

/** The format allows neither gaps nor overlaps nor bytes behind the last tensor: nothing can hide between tensors. */
function checkCoverage(
  tensors: readonly SafetensorsTensor[],
  data_offset: number,
  file_bytes: number,
  file_name: string,
): void {
  let position = data_offset;
  for (const tensor of tensors) {
    if (tensor.offset !== position) {
      const where = `${file_name}: tensor ${excerpt(tensor.name)}`;
      const problem = tensor.offset < position ? "one that overlaps the tensor before it" : "one after a gap";
      throw invalid(where, `a range from ${position - data_offset} on`, problem);
    }
    position += tensor.bytes;
    if (position > file_bytes) {
      const where = `${file_name}: tensor ${excerpt(tensor.name)}`;
      throw invalid(where, `a range within the file's ${file_bytes} bytes`, `one that ends at ${position}`);
    }
  }
  if (position !== file_bytes) {
    throw invalid(file_name, `a file of ${position} bytes, as its header says`, `${file_bytes} bytes`);
  }
}

function invalid(summary: string, expected: string, received: string): SherryError {
  return new SherryError("checkpoint_invalid", summary, {
    expected,
    received,
    next_step: "The file is damaged or was not downloaded whole; get it again",
  });
}
