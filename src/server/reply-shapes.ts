/**
 * The JSON objects of OpenAI's completions and chat completions, whole and in pieces, as its clients parse them. On
 * top of OpenAI's fields: `timings` and `seed`, where an answer is complete.
 */
import type { Finish } from "../generation/types.ts";

/** How one kind of reply is written. A stream is: opening, pieces, closing, then usage when the client asked for it. */
export interface ReplyShape {
  whole(text: string, finish: Finish): object;
  /** The chunk before the first piece of text; null when this kind has none. */
  opening(): object | null;
  piece(text: string): object;
  closing(finish: Finish): object;
  usage(finish: Finish): object;
}

export interface ReplyHead {
  /** The reply's own id, without its prefix. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  /** Every chunk before the usage chunk then carries `usage: null`, as OpenAI documents. */
  readonly include_usage: boolean;
}

export function completionShape(head: ReplyHead): ReplyShape {
  const base = { id: `cmpl-${head.id}`, object: "text_completion", created: head.created, model: head.model };
  const chunk_base = head.include_usage ? { ...base, usage: null } : base;
  const choice = (text: string, finish_reason: string | null) => [
    { index: 0, text, logprobs: null, finish_reason },
  ];
  return {
    whole: (text, finish) => ({
      ...base,
      choices: choice(text, finishReason(finish)),
      usage: usageOf(finish),
      ...extrasOf(finish),
    }),
    opening: () => null,
    piece: (text) => ({ ...chunk_base, choices: choice(text, null) }),
    closing: (finish) => ({ ...chunk_base, choices: choice("", finishReason(finish)), ...extrasOf(finish) }),
    usage: (finish) => ({ ...base, choices: [], usage: usageOf(finish) }),
  };
}

export function chatShape(head: ReplyHead): ReplyShape {
  const base = { id: `chatcmpl-${head.id}`, created: head.created, model: head.model };
  const whole_base = { ...base, object: "chat.completion" };
  const usage_base = { ...base, object: "chat.completion.chunk" };
  const chunk_base = head.include_usage ? { ...usage_base, usage: null } : usage_base;
  const choice = (delta: object, finish_reason: string | null) => [
    { index: 0, delta, logprobs: null, finish_reason },
  ];
  return {
    whole: (content, finish) => ({
      ...whole_base,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, refusal: null },
          logprobs: null,
          finish_reason: finishReason(finish),
        },
      ],
      usage: usageOf(finish),
      ...extrasOf(finish),
    }),
    opening: () => ({ ...chunk_base, choices: choice({ role: "assistant", content: "" }, null) }),
    piece: (content) => ({ ...chunk_base, choices: choice({ content }, null) }),
    closing: (finish) => ({ ...chunk_base, choices: choice({}, finishReason(finish)), ...extrasOf(finish) }),
    usage: (finish) => ({ ...usage_base, choices: [], usage: usageOf(finish) }),
  };
}

/** OpenAI knows one word for both limits: a full context ends an answer as "length". */
export function finishReason(finish: Finish): "stop" | "length" {
  return finish.reason === "stop" ? "stop" : "length";
}

export function usageOf(finish: Finish) {
  const { prompt_tokens, completion_tokens } = finish;
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

export function timingsOf(finish: Finish) {
  const { queue_ms, prefill_ms, decode_ms } = finish;
  return {
    queue_ms,
    prefill_ms,
    decode_ms,
    prefill_tokens_per_second: perSecond(finish.prompt_tokens, prefill_ms),
    decode_tokens_per_second: perSecond(finish.completion_tokens, decode_ms),
  };
}

function extrasOf(finish: Finish) {
  return { timings: timingsOf(finish), seed: finish.seed };
}

/** Null where no time passed, since JSON has no infinity. */
function perSecond(count: number, duration_ms: number): number | null {
  return duration_ms > 0 ? (count * 1000) / duration_ms : null;
}
