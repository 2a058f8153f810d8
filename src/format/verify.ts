/**
 * Reads every byte of a packed file and reports all that is wrong with it: checksums, padding that is not zero, scales and
 * dense numbers that are not finite. Reads a piece at a time, so a file of any size takes a megabyte or two.
 */
import { SherryError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Directory, TensorEntry } from "./directory.ts";
import { HEADER_BYTES } from "./header.ts";
import { type PackedFile, partsOf, readPackedFile } from "./reader.ts";
import { firstNonzero, type Region, type RegionProblemCode, regionsOf } from "./verify-regions.ts";

/**
 * "format_invalid", "format_unsupported": the file cannot be opened at all. "checksum_mismatch": a tensor's or the
 * tokenizer's bytes are not those that were packed. The others: what is stored breaks a rule of the format.
 */
export type ProblemCode = "format_invalid" | "format_unsupported" | "checksum_mismatch" | RegionProblemCode;

export interface Problem {
  readonly code: ProblemCode;
  /** The tensor's name; null when the problem lies elsewhere in the file. */
  readonly tensor: string | null;
  readonly message: string;
}

export interface Verification {
  readonly problems: readonly Problem[];
  readonly tensors_checked: number;
  readonly bytes_checked: number;
}

/** Called after every piece. */
export type VerifyProgress = (progress: {
  readonly bytes_checked: number;
  readonly file_bytes: number;
}) => void;

/** Divisible by a chunk (320) and by every element and alignment (64), so no unit of a region is cut in two. */
const PIECE_BYTES = 320 * 4_096;

/**
 * Checks a whole file. What is wrong with the file comes back as problems, each rule at most once a tensor.
 * @throws SherryError file_unreadable when the source cannot be read.
 */
export function verifyPackedFile(source: ByteSource, on_progress?: VerifyProgress): Verification {
  let file: PackedFile;
  try {
    file = readPackedFile(source);
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    if (error.code !== "format_invalid" && error.code !== "format_unsupported") throw error;
    const problem: Problem = { code: error.code, tensor: null, message: error.message };
    return { problems: [problem], tensors_checked: 0, bytes_checked: 0 };
  }
  const reader = new PieceReader(source, on_progress);
  reader.skip(HEADER_BYTES + source.bytes - file.directory_offset);
  const problems = [
    ...file.directory.tensors.flatMap((tensor) => checkTensor(reader, tensor)),
    ...checkTokenizer(reader, file.directory),
    ...checkGaps(reader, file),
  ];
  return {
    problems,
    tensors_checked: file.directory.tensors.length,
    bytes_checked: reader.bytes_checked,
  };
}

/** Walks ranges of the source piece by piece and keeps count. */
class PieceReader {
  readonly #source: ByteSource;
  readonly #on_progress: VerifyProgress | undefined;
  bytes_checked = 0;

  constructor(source: ByteSource, on_progress: VerifyProgress | undefined) {
    this.#source = source;
    this.#on_progress = on_progress;
  }

  /** Counts bytes that were checked elsewhere. */
  skip(bytes: number): void {
    this.bytes_checked += bytes;
    this.#on_progress?.({ bytes_checked: this.bytes_checked, file_bytes: this.#source.bytes });
  }

  /** `visit` gets each piece and where it starts, counted from `offset`. */
  walk(offset: number, length: number, visit: (piece: Uint8Array, start: number) => void): void {
    for (let start = 0; start < length; start += PIECE_BYTES) {
      const piece = this.#source.read(offset + start, Math.min(PIECE_BYTES, length - start));
      visit(piece, start);
      this.skip(piece.length);
    }
  }
}

function checkTensor(reader: PieceReader, tensor: TensorEntry): Problem[] {
  const hasher = new Bun.CryptoHasher("sha256");
  const problems: Problem[] = [];
  for (const region of regionsOf(tensor)) {
    problems.push(...checkRegion(reader, hasher, tensor, region));
  }
  if (hasher.digest("hex") !== tensor.sha256) {
    problems.push({
      code: "checksum_mismatch",
      tensor: tensor.name,
      message: "its bytes are not those that were packed (SHA-256 differs)",
    });
  }
  return problems;
}

function checkRegion(
  reader: PieceReader,
  hasher: Bun.CryptoHasher,
  tensor: TensorEntry,
  region: Region,
): Problem[] {
  const found = new Map<RegionProblemCode, { count: number; first: string }>();
  reader.walk(tensor.offset + region.offset, region.bytes, (piece, start) => {
    hasher.update(piece);
    region.check(piece, start, (code, where) => {
      const earlier = found.get(code);
      if (earlier === undefined) found.set(code, { count: 1, first: where() });
      else earlier.count += 1;
    });
  });
  return [...found].map(([code, { count, first }]) => ({
    code,
    tensor: tensor.name,
    message: count === 1 ? first : `${first}, and ${count - 1} more like it`,
  }));
}

function checkTokenizer(reader: PieceReader, { tokenizer }: Directory): Problem[] {
  if (tokenizer === null) return [];
  const hasher = new Bun.CryptoHasher("sha256");
  reader.walk(tokenizer.offset, tokenizer.bytes, (piece) => hasher.update(piece));
  if (hasher.digest("hex") === tokenizer.sha256) return [];
  const message = "the tokenizer's bytes are not those that were packed (SHA-256 differs)";
  return [{ code: "checksum_mismatch", tensor: null, message }];
}

/** Every byte between two parts is zero, so that nothing can hide there. */
function checkGaps(reader: PieceReader, file: PackedFile): Problem[] {
  const problems: Problem[] = [];
  let free_from = HEADER_BYTES;
  const end = { title: "the directory", offset: file.directory_offset, bytes: 0 };
  for (const { title, offset, bytes } of [...partsOf(file.directory), end]) {
    let nonzero: number | null = null;
    reader.walk(free_from, offset - free_from, (piece, start) => {
      const index = firstNonzero(piece, 0, piece.length);
      if (index !== null) nonzero ??= free_from + start + index;
    });
    if (nonzero !== null) {
      const message = `byte ${nonzero}, in the padding before ${title}, is not zero`;
      problems.push({ code: "padding_not_zero", tensor: null, message });
    }
    free_from = offset + bytes;
  }
  return problems;
}
