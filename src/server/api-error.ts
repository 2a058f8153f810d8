/**
 * What a client is told when its request cannot be answered: OpenAI's error object and a status. Everything that is
 * thrown while a request is handled becomes one of these; what happened inside the machine goes to the log alone.
 */
import type { ErrorCode } from "../errors.ts";
import { SherryError } from "../errors.ts";

/** Statuses this server answers an error with. */
export type ApiStatus = 400 | 401 | 404 | 405 | 413 | 415 | 429 | 500 | 503;

export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    /** The request's field at fault, e.g. "messages[0].content"; null when no single one is. */
    readonly param: string | null;
    readonly code: string;
  };
}

export interface ApiErrorDetails {
  readonly param?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a refused client may try again; the queue moves on within a few tokens. */
const RETRY_AFTER_SECONDS = "1";

export class ApiError extends Error {
  readonly status: ApiStatus;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ApiStatus, code: string, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
  }

  body(): ApiErrorBody {
    const { message, param, code } = this;
    return { error: { message, type: typeOf(this.status), param, code } };
  }
}

/** OpenAI's words for the three kinds of failure. */
function typeOf(status: ApiStatus): string {
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** What the scheduler and the model refuse, and how HTTP says it. A code that is not here is our own failure. */
const STATUS_OF_CODE: Partial<Record<ErrorCode, { status: ApiStatus; code: string }>> = {
  argument_invalid: { status: 400, code: "argument_invalid" },
  // OpenAI's own word: clients look for it to shorten a conversation.
  context_exceeded: { status: 400, code: "context_length_exceeded" },
  chat_template_invalid: { status: 400, code: "chat_template_invalid" },
  queue_full: { status: 429, code: "queue_full" },
  closed: { status: 503, code: "closed" },
};

/**
 * @param thrown whatever a handler threw.
 * @param prompt_field the field that holds the prompt ("prompt" or "messages"), null before it is known.
 * @param request_id what an internal failure is found by in the log.
 */
export function apiErrorFrom(thrown: unknown, prompt_field: string | null, request_id: string): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const known = thrown instanceof SherryError ? STATUS_OF_CODE[thrown.code] : undefined;
  if (known === undefined || !(thrown instanceof SherryError)) {
    const message = `The server failed to answer. Its log has the reason under request id ${request_id}`;
    return new ApiError(500, "internal", message);
  }
  const may_retry = known.status === 429 || known.status === 503;
  return new ApiError(known.status, known.code, thrown.message, {
    param: fieldAtFault(thrown, prompt_field),
    headers: may_retry ? { "retry-after": RETRY_AFTER_SECONDS } : {},
  });
}

/** The sampling options carry the same names in a request and in the library, whose messages begin with them. */
const OPTION_FIELDS = [
  "max_tokens",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "repetition_penalty",
  "seed",
  "stop",
];

function fieldAtFault(error: SherryError, prompt_field: string | null): string | null {
  if (error.code === "context_exceeded" || error.code === "chat_template_invalid") return prompt_field;
  if (error.code !== "argument_invalid") return null;
  const first_word = /^\w+/.exec(error.message)?.[0];
  if (first_word === "prompt") return prompt_field;
  return OPTION_FIELDS.find((field) => field === first_word) ?? null;
}
