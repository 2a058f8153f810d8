/** A large piece of memory for benches, on huge or small pages as asked. */
import { type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { benchLibrary } from "./bench-library.ts";
import { checkStatus } from "./status.ts";
import type { NativeRange } from "./weight.ts";

export const HUGE_PAGE_BYTES = 2 * 1024 * 1024;

/** Zeroed, aligned to 2 MiB. Owned by whoever allocated it. */
export class BenchMemory {
  #address: number;
  readonly bytes: number;

  private constructor(address: number, bytes: number) {
    this.#address = address;
    this.bytes = bytes;
  }

  /**
   * `bytes`, rounded up to whole huge pages. Whether the system really gives huge ones is its own affair.
   * @throws SherryError out_of_memory | argument_invalid
   */
  static allocate(bytes: number, pages: "huge" | "small"): BenchMemory {
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new SherryError("argument_invalid", "bench memory", {
        expected: "a positive number of bytes",
        received: String(bytes),
      });
    }
    const whole_bytes = Math.ceil(bytes / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    const out = new BigUint64Array(1);
    checkStatus(
      benchLibrary().symbols.sherry_bench_memory_allocate(whole_bytes, pages === "huge" ? 1 : 0, ptr(out)),
      `allocating ${whole_bytes} bytes on ${pages} pages`,
    );
    return new BenchMemory(Number(out[0]), whole_bytes);
  }

  /** `bytes` from `offset` on; dead after `free`. */
  range(offset: number, bytes: number): NativeRange {
    if (this.#address === 0) throw new SherryError("closed", "bench memory was used after it was freed");
    const is_inside = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(bytes) && bytes > 0;
    if (!is_inside || offset + bytes > this.bytes) {
      throw new SherryError("internal", "bench memory", {
        expected: `a range within ${this.bytes} bytes`,
        received: `${bytes} bytes at ${offset}`,
      });
    }
    // Pointer is a branded number: the brand is what says that the range was checked.
    return { address: (this.#address + offset) as Pointer, bytes };
  }

  /** Gives the memory back; safe to call twice. */
  free(): void {
    if (this.#address === 0) return;
    const address = this.#address;
    this.#address = 0;
    checkStatus(benchLibrary().symbols.sherry_bench_memory_free(address, this.bytes), "freeing bench memory");
  }
}
