/** The check that every native call makes of its buffers on this side of the boundary. */
import type { Pointer } from "bun:ffi";
import { SherryError } from "../errors.ts";
import type { NativeRange } from "./weight.ts";

/** The address of a range that must hold `bytes`. @throws SherryError internal, naming `what`, when it does not */
export function need(what: string, range: NativeRange, bytes: number): Pointer {
  if (!Number.isSafeInteger(bytes) || bytes <= 0 || range.bytes < bytes) {
    throw new SherryError("internal", what, {
      expected: `at least ${bytes} bytes`,
      received: `${range.bytes}`,
    });
  }
  return range.address;
}
