/** The status codes of the C ABI (zig/c_abi/status.zig) and the errors they become. */
import { type ErrorCode, SherryError } from "../errors.ts";

interface Meaning {
  readonly code: ErrorCode;
  readonly summary: string;
  readonly next_step: string;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: {
    code: "internal",
    summary: "a native function refused its arguments",
    next_step: "This is a defect of this package; please report it with the message",
  },
  2: {
    code: "numbers_not_finite",
    summary: "an infinity or a NaN where numbers must be finite",
    next_step: "The model's weights are damaged or were never finite; run 'sherry verify' on the file",
  },
  3: {
    code: "out_of_memory",
    summary: "the system gave no memory",
    next_step: "Choose a smaller context (--context), fewer sequences or a smaller model",
  },
  4: {
    code: "cpu_unsupported",
    summary: "this CPU or its operating system lacks the instruction set that was asked for",
    next_step: "Use the level 'auto' or 'scalar'",
  },
  5: {
    code: "file_unreadable",
    summary: "a file could not be opened or mapped",
    next_step: "Check that it exists, is not empty and may be read",
  },
  6: {
    code: "native_failed",
    summary: "the system started no thread",
    next_step: "Ask for fewer threads (--threads) or raise the process limit",
  },
  7: {
    code: "internal",
    summary: "a context was asked to compute while it was computing",
    next_step: "Use one context from one thread",
  },
  8: {
    code: "out_of_memory",
    summary: "the system does not let this process lock so much memory",
    next_step: "Raise its limit (ulimit -l, LimitMEMLOCK= of a systemd unit) or load without lock_memory",
  },
};

/** Returns when `status` is ok. @throws SherryError with the status's own code otherwise, naming `operation`. */
export function checkStatus(status: number, operation: string): void {
  if (status === 0) return;
  const meaning = MEANINGS[status];
  if (meaning === undefined) {
    throw new SherryError("native_mismatch", operation, {
      expected: "a known status",
      received: String(status),
      next_step: "The library and this package do not belong together; reinstall",
    });
  }
  throw new SherryError(meaning.code, `${operation}: ${meaning.summary}`, { next_step: meaning.next_step });
}
