/** Arrays that training kernels compute with: f32 or u32 elements in native memory, or a part of such an array. */
import type { Pointer } from "bun:ffi";
import { toArrayBuffer } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { NativeMemory } from "./memory.ts";

const ELEMENT_BYTES = 4;

/** `count` elements from `offset` on of a piece of memory, which whoever allocated it frees. */
abstract class NativeArray<Values extends Float32Array | Uint32Array> {
  readonly count: number;
  /** A view of the elements; dead after `free`. */
  readonly values: Values;
  protected readonly memory: NativeMemory;
  protected readonly offset: number;

  protected constructor(
    memory: NativeMemory,
    offset: number,
    count: number,
    view: (buffer: ArrayBuffer) => Values,
  ) {
    this.memory = memory;
    this.offset = offset;
    this.count = count;
    const bytes = count * ELEMENT_BYTES;
    this.values = view(toArrayBuffer(memory.at(offset * ELEMENT_BYTES, bytes), 0, bytes));
  }

  /** @throws SherryError closed after `free`. */
  get address(): Pointer {
    return this.memory.at(this.offset * ELEMENT_BYTES, this.count * ELEMENT_BYTES);
  }

  /** Gives the memory back, with every part of it; safe to call twice. */
  free(): void {
    this.memory.free();
  }
}

function checkCount(what: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new SherryError("internal", what, {
    expected: "a positive number of elements",
    received: String(count),
  });
}

function checkPart(offset: number, count: number, whole: number): void {
  checkCount("a part of a training buffer", count);
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + count <= whole) return;
  throw new SherryError("internal", "a part of a training buffer", {
    expected: `a range within ${whole} elements`,
    received: `${count} at ${offset}`,
  });
}

/** f32 [count] */
export class TrainingBuffer extends NativeArray<Float32Array> {
  private constructor(memory: NativeMemory, offset: number, count: number) {
    super(memory, offset, count, (buffer) => new Float32Array(buffer));
  }

  /** Zeroed. @throws SherryError out_of_memory | internal */
  static allocate(count: number): TrainingBuffer {
    const bytes = checkCount("a training buffer", count) * ELEMENT_BYTES;
    return new TrainingBuffer(NativeMemory.allocate(bytes), 0, count);
  }

  /** `count` elements from `offset` on, of the same memory. */
  part(offset: number, count: number): TrainingBuffer {
    checkPart(offset, count, this.count);
    return new TrainingBuffer(this.memory, this.offset + offset, count);
  }
}

/** u32 [count]: token ids and targets. */
export class TokenBuffer extends NativeArray<Uint32Array> {
  private constructor(memory: NativeMemory, offset: number, count: number) {
    super(memory, offset, count, (buffer) => new Uint32Array(buffer));
  }

  /** Zeroed. @throws SherryError out_of_memory | internal */
  static allocate(count: number): TokenBuffer {
    const bytes = checkCount("a token buffer", count) * ELEMENT_BYTES;
    return new TokenBuffer(NativeMemory.allocate(bytes), 0, count);
  }

  /** `count` elements from `offset` on, of the same memory. */
  part(offset: number, count: number): TokenBuffer {
    checkPart(offset, count, this.count);
    return new TokenBuffer(this.memory, this.offset + offset, count);
  }
}
