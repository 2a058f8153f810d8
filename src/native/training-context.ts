/** A native training context, and the check that its methods make of their arrays. */
import { type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { CPU_LEVELS, type CpuLevel } from "./kernels.ts";
import { checkStatus } from "./status.ts";
import { trainingLibrary } from "./training-library.ts";

export interface TrainingKernelOptions {
  readonly cpu_level: CpuLevel;
  readonly thread_count: number;
}

interface NativeElements {
  readonly address: Pointer;
  readonly count: number;
}

/** The address of an array that must have `count` elements. @throws SherryError internal, naming `what` */
export function need(what: string, array: NativeElements, count: number): Pointer {
  if (Number.isSafeInteger(count) && count > 0 && array.count >= count) return array.address;
  throw new SherryError("internal", what, {
    expected: `at least ${count} elements`,
    received: String(array.count),
  });
}

/** One instruction set level with one thread pool. Not to be used from two threads at once; `close` frees it. */
export abstract class TrainingContext {
  readonly cpu_level: CpuLevel;
  readonly thread_count: number;
  protected readonly symbols = trainingLibrary().symbols;
  #context: Pointer | null;

  /** @throws SherryError cpu_unsupported | internal | out_of_memory | native_failed, or the loader's. */
  protected constructor({ cpu_level, thread_count }: TrainingKernelOptions) {
    const out = new BigUint64Array(1);
    checkStatus(
      this.symbols.sherry_train_context_create(CPU_LEVELS.indexOf(cpu_level), thread_count, ptr(out)),
      `starting training kernels of level ${cpu_level} with ${thread_count} threads`,
    );
    // The status says that a context was written; its address becomes the branded number that FFI calls take.
    this.#context = Number(out[0]) as Pointer;
    this.cpu_level = cpu_level;
    this.thread_count = thread_count;
  }

  get context(): Pointer {
    if (this.#context === null) throw new SherryError("closed", "the training kernels were closed");
    return this.#context;
  }

  /** Ends the threads. Safe to call twice. */
  close(): void {
    if (this.#context === null) return;
    checkStatus(this.symbols.sherry_train_context_destroy(this.#context), "closing the training kernels");
    this.#context = null;
  }
}
