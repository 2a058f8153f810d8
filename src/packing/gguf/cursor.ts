/**
 * Reads a GGUF header from front to back, through a window of fixed size. Every length that the file claims is held
 * against the bytes that remain before memory is taken for it.
 */
import type { ByteSource } from "../../format/byte-source.ts";
import { GGUF_HEADER_BYTES_MAX } from "./limits.ts";
import { invalid } from "./refusals.ts";

const WINDOW_BYTES = 256 * 1024;

export class Cursor {
  readonly #source: ByteSource;
  readonly #file_name: string;
  /** Where the header has to end. */
  readonly #limit: number;
  #position = 0;
  #window: Uint8Array = new Uint8Array(0);
  #window_offset = 0;

  constructor(source: ByteSource, file_name: string) {
    this.#source = source;
    this.#file_name = file_name;
    this.#limit = Math.min(source.bytes, GGUF_HEADER_BYTES_MAX);
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#limit - this.#position;
  }

  /** @param what names the value in the message. @throws SherryError checkpoint_invalid at the file's end */
  uint32(what: string): number {
    return view(this.#take(4, what)).getUint32(0, true);
  }

  /**
   * A 64-bit count of things of which each takes at least `bytes_each` of the bytes that follow.
   * @throws SherryError checkpoint_invalid when it is above `maximum` or more than the file has room for
   */
  count(what: string, maximum: number, bytes_each: number): number {
    const value = view(this.#take(8, what)).getBigUint64(0, true);
    const room = Math.floor(this.remaining / bytes_each);
    if (value <= BigInt(Math.min(room, maximum))) return Number(value);
    throw invalid(`${this.#file_name}: ${what}`, `at most ${Math.min(room, maximum)}`, String(value));
  }

  uint64(what: string): bigint {
    return view(this.#take(8, what)).getBigUint64(0, true);
  }

  /** Bytes that stay valid until the next call. @throws SherryError checkpoint_invalid at the file's end */
  bytes(length: number, what: string): Uint8Array {
    return this.#take(length, what);
  }

  /** @throws SherryError checkpoint_invalid when the text is too long or no UTF-8 */
  text(what: string, bytes_max: number): string {
    const length = this.count(`the length of ${what}`, bytes_max, 1);
    return decodeText(this.#take(length, what), `${this.#file_name}: ${what}`);
  }

  /** Moves over a text without reading it. */
  skipText(what: string, bytes_max: number): void {
    this.skip(this.count(`the length of ${what}`, bytes_max, 1), what);
  }

  skip(length: number, what: string): void {
    this.#checkRoom(length, what);
    this.#position += length;
  }

  #take(length: number, what: string): Uint8Array {
    this.#checkRoom(length, what);
    const start = this.#position - this.#window_offset;
    this.#position += length;
    if (start >= 0 && start + length <= this.#window.length) {
      return this.#window.subarray(start, start + length);
    }
    this.#window_offset = this.#position - length;
    const window_bytes = Math.min(Math.max(length, WINDOW_BYTES), this.#limit - this.#window_offset);
    this.#window = this.#source.read(this.#window_offset, window_bytes);
    return this.#window.subarray(0, length);
  }

  #checkRoom(length: number, what: string): void {
    if (length <= this.remaining) return;
    const end =
      this.#limit < this.#source.bytes ? `a header of more than ${this.#limit} bytes` : "the file's end";
    throw invalid(
      `${this.#file_name}: ${what}`,
      `${length} bytes at offset ${this.#position}`,
      `${end} after ${this.remaining}`,
    );
  }
}

/** @throws SherryError checkpoint_invalid */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(what, "a text in UTF-8", "other bytes");
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
