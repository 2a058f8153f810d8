/**
 * A look at JSON before it is parsed: how deep it nests and about how many values it holds. A few bytes of hostile JSON
 * can ask for a deep stack or for many times their own size in objects; this pass takes no memory at all.
 */
import { type ErrorCode, SherryError } from "../errors.ts";

/** Arrays and objects inside each other; the directory itself needs four, tokenizer configurations a few more. */
export const JSON_DEPTH_MAX = 64;
/** Values in all; 65,536 tensors need fewer than a million. */
export const JSON_VALUES_MAX = 2_000_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** @throws SherryError `code` when the JSON nests too deep or holds too many values. Says nothing about its syntax. */
export function checkJsonSize(bytes: Uint8Array, code: ErrorCode): void {
  let depth = 0;
  let values = 1;
  let in_string = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (in_string) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) in_string = false;
    } else if (byte === QUOTE) {
      in_string = true;
    } else if (byte === COMMA) {
      values += 1;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      values += 1;
      if (depth > JSON_DEPTH_MAX)
        refuse(code, `at most ${JSON_DEPTH_MAX} arrays and objects inside each other`);
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      depth -= 1;
    }
    if (values > JSON_VALUES_MAX) refuse(code, `at most ${JSON_VALUES_MAX} values`);
  }
}

function refuse(code: ErrorCode, expected: string): never {
  throw new SherryError(code, "the directory's JSON", { expected, received: "more" });
}
