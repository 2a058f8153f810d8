/** The two ways in which a GGUF file is refused, so that every message has the same shape. */
import { SherryError } from "../../errors.ts";

/** The file contradicts itself, its format or its size. */
export function invalid(summary: string, expected: string, received: string): SherryError {
  return new SherryError("checkpoint_invalid", summary, {
    expected,
    received,
    next_step: "The file is damaged or was not downloaded whole; get it again",
  });
}

/** The file may be right; what it asks for is not built. */
export function unsupported(
  summary: string,
  expected: string,
  received: string,
  next_step?: string,
): SherryError {
  return new SherryError("checkpoint_unsupported", summary, {
    expected,
    received,
    ...(next_step === undefined ? {} : { next_step }),
  });
}
