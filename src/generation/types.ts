/**
 * What a caller of a loaded model sees: prompts, options, the stream's chunks and what a finished answer reports.
 * Field names are OpenAI's and Hugging Face's own.
 */

/** One turn of a conversation. `role` is whatever the model's chat template knows ("system", "user", "assistant"). */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** A prompt: plain text (tokenized with the model's special tokens, BOS first), ready token ids, or a conversation. */
export type Prompt =
  | { readonly text: string }
  | { readonly token_ids: readonly number[] }
  | { readonly messages: readonly ChatMessage[] };

export interface GenerateOptions {
  /** Tokens to generate at most; the model's context limits it too. Default: until the context is full. */
  readonly max_tokens?: number;
  /** 0 is greedy. Default: the model's own, else 1 when it samples, else 0. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens; 0 keeps all. */
  readonly top_k?: number;
  /** Keep the likeliest tokens whose probabilities sum to p; 1 keeps all. */
  readonly top_p?: number;
  /** Keep tokens at least this share of the likeliest one's probability; 0 keeps all. */
  readonly min_p?: number;
  /** Divides positive and multiplies negative logits of tokens already seen (Keskar et al. 2019); 1 is off. */
  readonly repetition_penalty?: number;
  /** Same seed, same text. Default: drawn at random and reported. */
  readonly seed?: number;
  /** Texts that end the answer; they never appear in it, whole or in part. */
  readonly stop?: readonly string[];
  /** Ends the work within one token. The stream then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** "stop": an end token or a stop string. "length": max_tokens reached. "context": the model's context is full. */
export type FinishReason = "stop" | "length" | "context";

export interface Finish {
  readonly reason: FinishReason;
  /** The stop string that ended the answer, when one did. */
  readonly stop_string: string | null;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly seed: number;
  /** Waiting for a place among the running sequences. */
  readonly queue_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
}

/** A piece of the answer. Text never ends inside a character; the last chunk carries `finish` (its text may be empty). */
export interface GenerationChunk {
  readonly text: string;
  readonly token_ids: readonly number[];
  readonly finish: Finish | null;
}

export interface ModelInfo {
  /** What the model is called where it is served: the file's name without its extension, unless named otherwise. */
  readonly id: string;
  readonly path: string;
  /** A warning to show wherever the model is served, e.g. that its weights are random; null for a real model. */
  readonly label: string | null;
  readonly architecture: string;
  readonly file_bytes: number;
  /** Tokens of prompt and answer together. */
  readonly context_tokens: number;
  readonly vocab_size: number;
  readonly has_chat_template: boolean;
  readonly cpu_level: string;
  readonly thread_count: number;
}

/** A model ready to generate. Made by `loadModel`. */
export interface Model {
  readonly info: ModelInfo;
  /**
   * Streams an answer. Work starts with the first `next()`. Leaving the loop early (break, return) stops the work, as
   * does `options.signal`.
   * @throws SherryError argument_invalid | context_exceeded | queue_full | chat_template_invalid | closed |
   *   numbers_not_finite, before or during the stream.
   */
  generate(prompt: Prompt | string, options?: GenerateOptions): AsyncIterableIterator<GenerationChunk>;
  /** Running and waiting requests. */
  load(): { readonly running: number; readonly waiting: number };
  /** Aborts what runs, ends the worker, frees all native memory. Safe to call twice. */
  close(): Promise<void>;
}
