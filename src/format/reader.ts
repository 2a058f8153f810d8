/**
 * Opens a packed file: header, directory, and every range held against the file before anybody uses it. Tensor bytes are
 * not read here, so opening costs the same for any size of model; verify.ts reads them.
 */
import { SherryError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type Directory, parseDirectory, type TensorEntry } from "./directory.ts";
import { HEADER_BYTES, parseHeader, sha256Hex } from "./header.ts";
import { PART_ALIGNMENT, tensorAlignment, tensorBytes } from "./layout.ts";

export interface PackedFile {
  readonly file_bytes: number;
  /** Where the last part ends and the directory starts. */
  readonly directory_offset: number;
  readonly directory: Directory;
  tensor(name: string): TensorEntry | undefined;
  /**
   * tokenizer.json's bytes, fresh and owned by the caller; null when the file has none.
   * @throws SherryError format_invalid when they do not match their checksum.
   */
  readTokenizer(): Uint8Array | null;
}

/** A part of the file that the directory points to. */
export interface Part {
  readonly title: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads and checks header and directory. The source must stay open while `readTokenizer` is used.
 * @throws SherryError format_invalid | format_unsupported for bytes that are no whole, valid file of version 1;
 *   file_unreadable when the source cannot be read.
 */
export function readPackedFile(source: ByteSource): PackedFile {
  const header = parseHeader(source.read(0, Math.min(HEADER_BYTES, source.bytes)), source.bytes);
  const directory_bytes = source.read(header.directory_offset, header.directory_bytes);
  if (sha256Hex(directory_bytes) !== header.directory_sha256) {
    throw invalid("the directory's checksum", header.directory_sha256, "another one: its bytes were changed");
  }
  const directory = parseDirectory(directory_bytes);
  const tensors = new Map<string, TensorEntry>();
  for (const tensor of directory.tensors) {
    checkTensor(tensor);
    if (tensors.has(tensor.name)) throw invalid("tensor names", "each name once", `${tensor.name} twice`);
    tensors.set(tensor.name, tensor);
  }
  checkOrder(directory.tensors);
  checkRanges(partsOf(directory), header.directory_offset);
  return {
    file_bytes: source.bytes,
    directory_offset: header.directory_offset,
    directory,
    tensor: (name) => tensors.get(name),
    readTokenizer: () => readTokenizer(source, directory),
  };
}

/** Tensors and sections in the order of their offsets. */
export function partsOf(directory: Directory): Part[] {
  const parts: Part[] = directory.tensors.map(({ name, offset, bytes }) => ({ title: name, offset, bytes }));
  const { tokenizer } = directory;
  if (tokenizer !== null) {
    parts.push({ title: "the tokenizer", offset: tokenizer.offset, bytes: tokenizer.bytes });
  }
  return parts.sort((left, right) => left.offset - right.offset);
}

function checkTensor(tensor: TensorEntry): void {
  let expected_bytes: number;
  try {
    expected_bytes = tensorBytes(tensor);
  } catch (cause) {
    // The layout speaks of arguments; here they came out of the file.
    const reason = cause instanceof SherryError ? cause : undefined;
    throw new SherryError("format_invalid", `tensor ${tensor.name}: ${reason?.message ?? "its size"}`, {
      cause,
    });
  }
  if (tensor.bytes !== expected_bytes) {
    throw invalid(
      `the size of tensor ${tensor.name}`,
      `${expected_bytes} bytes for ${tensor.kind} [${tensor.shape.join(", ")}]`,
      String(tensor.bytes),
    );
  }
  const alignment = tensorAlignment(tensor.bytes);
  if (tensor.offset % alignment !== 0) {
    throw invalid(`the offset of tensor ${tensor.name}`, `a multiple of ${alignment}`, String(tensor.offset));
  }
}

function checkOrder(tensors: readonly TensorEntry[]): void {
  let previous = 0;
  for (const { name, offset } of tensors) {
    if (offset < previous)
      throw invalid("the order of the tensors", "rising offsets", `${name} at ${offset}`);
    previous = offset;
  }
}

function checkRanges(parts: readonly Part[], directory_offset: number): void {
  let free_from = HEADER_BYTES;
  let previous = "the header";
  for (const { title, offset, bytes } of parts) {
    if (offset % PART_ALIGNMENT !== 0) {
      throw invalid(`the offset of ${title}`, `a multiple of ${PART_ALIGNMENT}`, String(offset));
    }
    if (offset < free_from) {
      throw invalid(`the range of ${title}`, `to start after ${previous}, at ${free_from}`, String(offset));
    }
    // Both numbers may be near 2^53, so they are never added before this check.
    if (offset > directory_offset || bytes > directory_offset - offset) {
      throw invalid(
        `the range of ${title}`,
        `to end before the directory, at ${directory_offset}`,
        `${bytes} bytes at offset ${offset}`,
      );
    }
    free_from = offset + bytes;
    previous = title;
  }
}

function readTokenizer(source: ByteSource, { tokenizer }: Directory): Uint8Array | null {
  if (tokenizer === null) return null;
  const bytes = source.read(tokenizer.offset, tokenizer.bytes);
  if (sha256Hex(bytes) === tokenizer.sha256) return bytes;
  throw invalid("the tokenizer's checksum", tokenizer.sha256, "another one: its bytes were changed");
}

function invalid(summary: string, expected: string, received: string): SherryError {
  return new SherryError("format_invalid", summary, {
    expected,
    received,
    next_step: "The file is damaged; get it again or pack it anew",
  });
}
