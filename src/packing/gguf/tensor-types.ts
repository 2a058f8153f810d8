/**
 * The element types of a GGUF file's tensors. Those that the packer decodes are described by their blocks; all others
 * are known by name only, so that a refusal can say what the file holds.
 * Source: ggml.h (enum ggml_type) and ggml-common.h (block sizes); STQ1_0: llama.cpp pull request 22836.
 */
import { unsupported } from "./refusals.ts";

export type GgufTensorType = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0" | "Q6_K" | "STQ1_0" | "TQ1_0" | "TQ2_0";

/** One block: `columns` neighbouring weights of a row in `bytes` bytes. */
export interface BlockSize {
  readonly columns: number;
  readonly bytes: number;
}

const BLOCKS: Readonly<Record<GgufTensorType, BlockSize>> = {
  F32: { columns: 1, bytes: 4 },
  F16: { columns: 1, bytes: 2 },
  BF16: { columns: 1, bytes: 2 },
  Q8_0: { columns: 32, bytes: 2 + 32 },
  Q4_0: { columns: 32, bytes: 2 + 16 },
  Q6_K: { columns: 256, bytes: 128 + 64 + 16 + 2 },
  STQ1_0: { columns: 256, bytes: 32 + 8 + 2 },
  TQ1_0: { columns: 256, bytes: 48 + 4 + 2 },
  TQ2_0: { columns: 256, bytes: 64 + 2 },
};

/** A type that is only ever named: what the id 42 means since ggml gave it away. */
const Q2_0_BLOCK: BlockSize = { columns: 64, bytes: 2 + 16 };

/** What files from before ggml gave 42 to Q2_0 carry for STQ1_0, Tencent's published ones among them. */
export const STQ1_0_LEGACY_ID = 42;
const STQ1_0_ID = 43;

const TYPE_IDS: Readonly<Record<GgufTensorType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 8,
  Q6_K: 14,
  BF16: 30,
  TQ1_0: 34,
  TQ2_0: 35,
  STQ1_0: STQ1_0_ID,
};

const TYPES = new Map(
  (Object.keys(TYPE_IDS) as GgufTensorType[]).map((type) => [TYPE_IDS[type], type] as const),
);

/** Types that are not decoded, by number. */
const OTHER_NAMES: ReadonlyMap<number, string> = new Map([
  [3, "Q4_1"],
  [4, "Q4_2"],
  [5, "Q4_3"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [12, "Q4_K"],
  [13, "Q5_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [31, "Q4_0_4_4"],
  [32, "Q4_0_4_8"],
  [33, "Q4_0_8_8"],
  [36, "IQ4_NL_4_4"],
  [37, "IQ4_NL_4_8"],
  [38, "IQ4_NL_8_8"],
  [39, "MXFP4"],
  [40, "NVFP4"],
  [41, "Q1_0"],
]);

export function tensorTypeId(type: GgufTensorType): number {
  return TYPE_IDS[type];
}

export function blockSize(type: GgufTensorType): BlockSize {
  return BLOCKS[type];
}

/** Bytes of `elements` weights in rows of `columns`; null when a row is no whole number of blocks. */
export function bytesOf(block: BlockSize, columns: number, elements: number): number | null {
  return columns % block.columns === 0 ? (elements / block.columns) * block.bytes : null;
}

/** What is known of a tensor before its type is. */
export interface TypedPlace {
  /** How messages name the tensor, with its file. */
  readonly where: string;
  readonly type_id: number;
  /** Columns (ne[0]) and all elements. */
  readonly columns: number;
  readonly elements: number;
  /** From the tensor's first byte to the next tensor or to the end of the data. */
  readonly extent_bytes: number;
  readonly alignment: number;
}

/**
 * The type of a tensor. The ids 42 and 43 are told apart by the room that the tensor has, never by the id alone.
 * @throws SherryError checkpoint_unsupported for a type that is not decoded, and for 42 or 43 with room for neither
 */
export function resolveTensorType(place: TypedPlace): GgufTensorType {
  const { type_id, where } = place;
  if (type_id === STQ1_0_ID || type_id === STQ1_0_LEGACY_ID) return resolveStq1(place);
  const type = TYPES.get(type_id);
  if (type !== undefined) return type;
  throw unsupported(
    `${where}: type`,
    `one of ${Object.keys(BLOCKS).join(", ")}`,
    OTHER_NAMES.get(type_id) ?? `the unknown id ${type_id}`,
    "Use a file of another quantization, or pack the original checkpoint",
  );
}

function resolveStq1(place: TypedPlace): GgufTensorType {
  const { type_id, columns, elements, extent_bytes, alignment, where } = place;
  const fits = (bytes: number | null) =>
    bytes !== null && bytes <= extent_bytes && extent_bytes - bytes < alignment;
  const stq1_bytes = bytesOf(BLOCKS.STQ1_0, columns, elements);
  const q2_bytes = bytesOf(Q2_0_BLOCK, columns, elements);
  const is_stq1 = fits(stq1_bytes);
  // Where the padding leaves room for both, the id decides, and 42 is the one that has two meanings.
  if (is_stq1 && (type_id === STQ1_0_ID || !fits(q2_bytes))) return "STQ1_0";
  const describe = (name: string, bytes: number | null) =>
    bytes === null ? `${name} (impossible with ${columns} columns)` : `${name} (${bytes} bytes)`;
  const readings = [describe("STQ1_0", stq1_bytes), describe("Q2_0", q2_bytes)];
  if (!is_stq1 && fits(q2_bytes)) {
    throw unsupported(
      `${where}: type ${type_id}`,
      readings[0] ?? "STQ1_0",
      `${extent_bytes} bytes of room, which make it ${readings[1]}; Q2_0 is not supported`,
      "Use a file of another quantization, or pack the original checkpoint",
    );
  }
  throw unsupported(
    `${where}: type ${type_id}`,
    `room for exactly one of ${readings.join(" and ")}`,
    `${extent_bytes} bytes of room at an alignment of ${alignment}, which fit ${is_stq1 ? "both" : "neither"}`,
    "The file is damaged or its tensors are of a type that is not supported",
  );
}
