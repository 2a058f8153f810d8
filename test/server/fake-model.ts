/**
 * A model whose words, pace and failures a test decides. It keeps the contract of generation/types.ts and records what
 * was asked of it and how far it got.
 */
import { SherryError } from "../../src/errors.ts";
import type {
  Finish,
  GenerateOptions,
  GenerationChunk,
  Model,
  ModelInfo,
  Prompt,
} from "../../src/generation/types.ts";

export interface FakeModelOptions {
  /** One token each. Default: three words. */
  readonly words?: readonly string[];
  /** Pause before each token. Default: 0. */
  readonly token_ms?: number;
  /** Pause before the first token. Default: 0. */
  readonly prefill_ms?: number;
  /** Answers at once; what comes beyond that is refused as queue_full. Default: no limit. */
  readonly running_max?: number;
  /** Thrown when so many tokens have been given. */
  readonly failure?: { readonly after_tokens: number; readonly error: unknown };
  /** Ends without a finish, which no model may. */
  readonly omit_finish?: boolean;
  readonly reason?: Finish["reason"];
  readonly info?: Partial<ModelInfo>;
}

export interface FakeCall {
  readonly prompt: Prompt;
  readonly options: GenerateOptions;
  /** Tokens computed so far. */
  tokens: number;
  /** Set once the work is over: by itself, by the signal, or by a caller that left. */
  ended: "finished" | "aborted" | "left" | "failed" | null;
}

const INFO: ModelInfo = {
  id: "test/fake-model",
  path: "fake.sherry",
  label: null,
  architecture: "llama",
  file_bytes: 1,
  context_tokens: 128,
  vocab_size: 512,
  has_chat_template: true,
  cpu_level: "scalar",
  thread_count: 1,
};

export class FakeModel implements Model {
  readonly info: ModelInfo;
  readonly calls: FakeCall[] = [];
  closed = false;
  readonly #options: FakeModelOptions;
  #running = 0;

  constructor(options: FakeModelOptions = {}) {
    this.#options = options;
    this.info = { ...INFO, ...options.info };
  }

  async *generate(prompt: Prompt | string, options: GenerateOptions = {}): AsyncGenerator<GenerationChunk> {
    const call: FakeCall = {
      prompt: typeof prompt === "string" ? { text: prompt } : prompt,
      options,
      tokens: 0,
      ended: null,
    };
    this.calls.push(call);
    if (this.closed) throw new SherryError("closed", "The model is closed");
    if (this.#running >= (this.#options.running_max ?? Number.POSITIVE_INFINITY)) {
      throw new SherryError("queue_full", "The queue is full", { next_step: "Try again shortly" });
    }
    this.#running += 1;
    try {
      yield* this.#tokens(call);
    } catch (error) {
      call.ended = options.signal?.aborted === true ? "aborted" : "failed";
      throw error;
    } finally {
      call.ended ??= "left";
      this.#running -= 1;
    }
  }

  async *#tokens(call: FakeCall): AsyncGenerator<GenerationChunk> {
    const { words = ["one", " two", " three"], token_ms = 0, prefill_ms = 0, failure } = this.#options;
    const { signal, max_tokens = words.length } = call.options;
    await pause(prefill_ms, signal);
    for (const text of words.slice(0, max_tokens)) {
      if (failure?.after_tokens === call.tokens) throw failure.error;
      await pause(token_ms, signal);
      call.tokens += 1;
      yield { text, token_ids: [call.tokens], finish: null };
    }
    if (failure?.after_tokens === call.tokens) throw failure.error;
    call.ended = "finished";
    if (this.#options.omit_finish === true) return;
    yield { text: "", token_ids: [], finish: this.#finish(call, words.length) };
  }

  #finish(call: FakeCall, word_count: number): Finish {
    return {
      reason: this.#options.reason ?? (call.tokens < word_count ? "length" : "stop"),
      stop_string: null,
      prompt_tokens: 5,
      completion_tokens: call.tokens,
      seed: call.options.seed ?? 7,
      queue_ms: 1,
      prefill_ms: 10,
      decode_ms: 20,
    };
  }

  load() {
    return { running: this.#running, waiting: 0 };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** @throws the signal's reason, as soon as it is aborted. */
async function pause(duration_ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (duration_ms === 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, duration_ms);
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** Waits until `condition` holds; a test that waits in vain fails with `what`. */
export async function until(what: string, condition: () => boolean, deadline_ms = 3000): Promise<void> {
  const deadline = performance.now() + deadline_ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${deadline_ms} ms in vain for: ${what}`);
    await Bun.sleep(1);
  }
}
