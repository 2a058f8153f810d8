/** Memory outside JavaScript's heap: its addresses go to the kernels, its views to whoever reads results. */
import { type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";

/** The longest view that toArrayBuffer makes safely (Bun's limit is 2^32 bytes). */
const VIEW_BYTES_MAX = 0xffff_f000;

/** Zeroed, page-aligned memory; pages cost something only once touched. Owned by whoever allocated it. */
export class NativeMemory {
  #address: number;
  readonly bytes: number;

  private constructor(address: number, bytes: number) {
    this.#address = address;
    this.bytes = bytes;
  }

  /** @throws SherryError out_of_memory | argument_invalid */
  static allocate(bytes: number): NativeMemory {
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new SherryError("argument_invalid", "native memory", {
        expected: "a positive number of bytes",
        received: String(bytes),
      });
    }
    const out = new BigUint64Array(1);
    checkStatus(library().symbols.sherry_memory_allocate(bytes, ptr(out)), `allocating ${bytes} bytes`);
    return new NativeMemory(Number(out[0]), bytes);
  }

  /**
   * Maps a file for reading.
   * @throws SherryError file_unreadable | out_of_memory
   */
  static map(path: string): NativeMemory {
    const out = new BigUint64Array(2);
    const name = new TextEncoder().encode(`${path}\0`);
    checkStatus(library().symbols.sherry_map_open(ptr(name), ptr(out)), `mapping ${path}`);
    return new NativeMemory(Number(out[0]), Number(out[1]));
  }

  /**
   * Keeps all pages in memory until it is freed; those of a map that are not there yet are read first.
   * @throws SherryError out_of_memory, when the system does not allow it
   */
  lock(): void {
    const status = library().symbols.sherry_memory_lock(this.at(0, this.bytes), this.bytes);
    checkStatus(status, `locking ${this.bytes} bytes`);
  }

  /** The address `offset` bytes in, where at least `length` bytes follow. */
  at(offset: number, length: number): Pointer {
    if (this.#address === 0) throw new SherryError("closed", "native memory was used after it was freed");
    const inside = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0;
    if (!inside || offset + length > this.bytes) {
      throw new SherryError("internal", "native memory", {
        expected: `a range within ${this.bytes} bytes`,
        received: `${length} bytes at ${offset}`,
      });
    }
    // Pointer is a branded number: the brand is what says that the range was checked.
    return (this.#address + offset) as Pointer;
  }

  /** A view that must not be used after `free`. */
  view(offset: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    if (length > VIEW_BYTES_MAX) {
      throw new SherryError("internal", "native memory view", {
        expected: `at most ${VIEW_BYTES_MAX} bytes`,
        received: String(length),
      });
    }
    return new Uint8Array(toArrayBuffer(this.at(offset, length), 0, length));
  }

  floats(offset: number, count: number): Float32Array {
    return new Float32Array(toArrayBuffer(this.at(offset, count * 4), 0, count * 4));
  }

  /** Gives the memory back; safe to call twice. Every view and address into it is dead afterwards. */
  free(): void {
    if (this.#address === 0) return;
    const address = this.#address;
    this.#address = 0;
    checkStatus(library().symbols.sherry_memory_free(address, this.bytes), "freeing memory");
  }
}
