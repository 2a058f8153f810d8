/**
 * The first 128 bytes of a packed file: magic, version, sizes and two checksums. docs/format.md has the table. The header
 * is written last, so a file that starts with the magic is a whole one.
 */
import { SherryError } from "../errors.ts";
import { DIRECTORY_BYTES_MAX } from "../limits.ts";
import { PART_ALIGNMENT } from "./layout.ts";

export const HEADER_BYTES = 128;
export const FORMAT_VERSION = 1;
/** "\x89SHERRY\n": the first byte is no ASCII and the last one a line feed, so that text-mode copies show. */
const MAGIC = Uint8Array.of(0x89, 0x53, 0x48, 0x45, 0x52, 0x52, 0x59, 0x0a);

const VERSION_OFFSET = 8;
const FLAGS_OFFSET = 12;
const FILE_BYTES_OFFSET = 16;
const DIRECTORY_OFFSET_OFFSET = 24;
const DIRECTORY_BYTES_OFFSET = 32;
const RESERVED_OFFSET = 40;
const DIRECTORY_SHA256_OFFSET = 64;
const HEADER_SHA256_OFFSET = 96;

export interface Header {
  readonly file_bytes: number;
  readonly directory_offset: number;
  readonly directory_bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly directory_sha256: string;
}

/** SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

/** The header's 128 bytes. */
export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint32(VERSION_OFFSET, FORMAT_VERSION, true);
  view.setUint32(FLAGS_OFFSET, 0, true);
  view.setBigUint64(FILE_BYTES_OFFSET, BigInt(header.file_bytes), true);
  view.setBigUint64(DIRECTORY_OFFSET_OFFSET, BigInt(header.directory_offset), true);
  view.setBigUint64(DIRECTORY_BYTES_OFFSET, BigInt(header.directory_bytes), true);
  bytes.set(Uint8Array.fromHex(header.directory_sha256), DIRECTORY_SHA256_OFFSET);
  bytes.set(Uint8Array.fromHex(sha256Hex(bytes.subarray(0, HEADER_SHA256_OFFSET))), HEADER_SHA256_OFFSET);
  return bytes;
}

/**
 * Reads the header of a file of `file_bytes` bytes. Magic and version come first: whatever follows them may change with
 * the version.
 * @throws SherryError format_invalid | format_unsupported
 */
export function parseHeader(bytes: Uint8Array, file_bytes: number): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new SherryError("format_invalid", "the file's first bytes", {
      expected: "the magic of a .sherry file",
      received: bytes.length < HEADER_BYTES ? `a file of ${bytes.length} bytes` : "other bytes",
      next_step: "Make one with sherry-pack",
    });
  }
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== FORMAT_VERSION) {
    throw unsupported("the format version", String(FORMAT_VERSION), String(version));
  }
  const header_sha256 = bytes.subarray(HEADER_SHA256_OFFSET, HEADER_BYTES).toHex();
  if (sha256Hex(bytes.subarray(0, HEADER_SHA256_OFFSET)) !== header_sha256) {
    throw invalid("the header's checksum", header_sha256, "another one: its bytes were changed");
  }
  const flags = view.getUint32(FLAGS_OFFSET, true);
  if (flags !== 0) throw unsupported("the header's flags", "0", String(flags));
  if (bytes.subarray(RESERVED_OFFSET, DIRECTORY_SHA256_OFFSET).some((byte) => byte !== 0)) {
    throw unsupported(
      `bytes ${RESERVED_OFFSET} to ${DIRECTORY_SHA256_OFFSET - 1} of the header`,
      "zero",
      "others",
    );
  }
  const header = {
    file_bytes: readSize(view, FILE_BYTES_OFFSET),
    directory_offset: readSize(view, DIRECTORY_OFFSET_OFFSET),
    directory_bytes: readSize(view, DIRECTORY_BYTES_OFFSET),
    directory_sha256: bytes.subarray(DIRECTORY_SHA256_OFFSET, HEADER_SHA256_OFFSET).toHex(),
  };
  checkSizes(header, file_bytes);
  return header;
}

function checkSizes(header: Header, file_bytes: number): void {
  if (header.file_bytes !== file_bytes) {
    throw invalid("the file's size", `${header.file_bytes} bytes`, `${file_bytes} bytes`);
  }
  const { directory_offset, directory_bytes } = header;
  if (directory_bytes > DIRECTORY_BYTES_MAX) {
    throw invalid("the directory's size", `at most ${DIRECTORY_BYTES_MAX} bytes`, `${directory_bytes} bytes`);
  }
  if (directory_offset < HEADER_BYTES || directory_offset % PART_ALIGNMENT !== 0) {
    throw invalid(
      "the directory's offset",
      `a multiple of ${PART_ALIGNMENT}, at least ${HEADER_BYTES}`,
      String(directory_offset),
    );
  }
  if (directory_offset > file_bytes || directory_bytes !== file_bytes - directory_offset) {
    throw invalid(
      "the directory's range",
      `to end with the file, at ${file_bytes}`,
      `${directory_bytes} bytes at offset ${directory_offset}`,
    );
  }
}

function readSize(view: DataView, offset: number): number {
  const size = view.getBigUint64(offset, true);
  if (size <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(size);
  throw invalid(`the size at byte ${offset} of the header`, "at most 2^53 - 1", String(size));
}

function invalid(summary: string, expected: string, received: string): SherryError {
  return new SherryError("format_invalid", summary, {
    expected,
    received,
    next_step: "The file is damaged; get it again or pack it anew",
  });
}

function unsupported(summary: string, expected: string, received: string): SherryError {
  return new SherryError("format_unsupported", summary, {
    expected,
    received,
    next_step: "A newer version of this package may read the file",
  });
}
