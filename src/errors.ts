/**
 * The one error that this package throws on purpose: a stable code, what was expected, what came instead and what to
 * do next. A caller switches on `code`; a person reads `message`, which carries all of it.
 */

/** Stable identifiers; a caller may rely on them. */
export type ErrorCode =
  | "file_not_found"
  | "file_unreadable"
  | "file_unwritable"
  | "source_denied"
  | "source_unavailable"
  | "format_invalid"
  | "format_unsupported"
  | "checkpoint_invalid"
  | "checkpoint_unsupported"
  | "tokenizer_invalid"
  | "tokenizer_unsupported"
  | "chat_template_invalid"
  | "argument_invalid"
  | "context_exceeded"
  | "queue_full"
  | "closed"
  | "toolchain_missing"
  | "build_failed"
  | "native_mismatch"
  | "native_failed"
  | "cpu_unsupported"
  | "numbers_not_finite"
  | "out_of_memory"
  | "internal";

export interface ErrorDetails {
  /** What would have been right, e.g. "a multiple of 4". */
  readonly expected?: string;
  /** What was there instead, e.g. "66". */
  readonly received?: string;
  /** What the reader can do now. */
  readonly next_step?: string;
  readonly cause?: unknown;
}

/** Thrown for everything that can be foreseen: bad files, bad arguments, missing tools, exhausted limits. */
export class SherryError extends Error {
  readonly code: ErrorCode;
  /** What went wrong, without the details that `message` adds. */
  readonly summary: string;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly next_step: string | undefined;

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    const parts = [summary];
    if (details.expected !== undefined) parts.push(`expected ${details.expected}`);
    if (details.received !== undefined) parts.push(`received ${details.received}`);
    const sentence = parts.length === 1 ? summary : `${parts[0]}: ${parts.slice(1).join(", ")}`;
    super(
      details.next_step === undefined ? sentence : `${sentence}. ${details.next_step}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = "SherryError";
    this.code = code;
    this.summary = summary;
    this.expected = details.expected;
    this.received = details.received;
    this.next_step = details.next_step;
  }
}
