/** The one way in which a packed file cannot become a GGUF file: something in it has no place there. */
import { SherryError } from "../../errors.ts";

/** @param what names the part of the packed file */
export function unrepresentable(
  what: string,
  expected: string,
  received: string,
  next_step?: string,
): SherryError {
  return new SherryError("checkpoint_unsupported", what, {
    expected,
    received,
    ...(next_step === undefined ? {} : { next_step }),
  });
}
