/**
 * `loadModel`: a model that computes in a thread of its own, so that the caller's event loop stays free, with a bounded
 * queue in front of it.
 */
import { existsSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { SherryError } from "../errors.ts";
import type { GenerateOptions, GenerationChunk, Model, ModelInfo, Prompt } from "../generation/types.ts";
import { CONTEXT_TOKENS_MAX, THREAD_COUNT_MAX } from "../limits.ts";
import { builtLibrary } from "../native/build.ts";
import type { CpuLevel } from "../native/kernels.ts";
import type { KeyValueElement } from "../native/weight.ts";
import { AnswerStream } from "./answer-stream.ts";
import { errorFrom, type FromWorker, type ToWorker } from "./messages.ts";

export interface LoadOptions {
  /** Threads that compute. Default: the CPUs this process may use, by affinity and control group. */
  readonly thread_count?: number | undefined;
  /** Tokens of prompt and answer together. Default: 4096, or the model's own limit when that is less. */
  readonly context_tokens?: number | undefined;
  /** Keeps the file's pages in memory (mlock); refused where the system's limit forbids it. Default: no. */
  readonly lock_memory?: boolean | undefined;
  /** How keys and values are kept: q8 takes about half of f16's memory and is less exact. Default: f16. */
  readonly key_value_element?: KeyValueElement | undefined;
  /**
   * Searches a split8 head by a coarse plane first when one answer is computed alone: faster where few tokens are likely,
   * for a quarter of the head's bytes more memory. Refused for other heads. Default: no.
   */
  readonly coarse_head?: boolean | undefined;
  /** Answers that are computed in turn at a time. Default: 2. */
  readonly max_sequences?: number | undefined;
  /** Requests that may wait for a turn; one more is refused with queue_full. Default: 16. */
  readonly max_queue?: number | undefined;
  /** Default: auto, the best that this machine runs. */
  readonly cpu_level?: CpuLevel | "auto" | undefined;
  /** What the model is called where it is served. Default: the file's name without its extension. */
  readonly id?: string | undefined;
}

const MAX_SEQUENCES_DEFAULT = 2;
const MAX_SEQUENCES_LIMIT = 256;
const MAX_QUEUE_DEFAULT = 16;
const MAX_QUEUE_LIMIT = 65_536;

function integerOption(name: string, value: number | undefined, minimum: number, maximum: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= minimum && value <= maximum)) return;
  throw new SherryError("argument_invalid", name, {
    expected: `an integer from ${minimum} to ${maximum}`,
    received: String(value),
  });
}

/**
 * Opens a packed file and starts its thread. `close()` the model to end the thread and free its memory.
 * @throws SherryError file_not_found | format_invalid | format_unsupported | tokenizer_invalid | argument_invalid |
 *   cpu_unsupported | out_of_memory | toolchain_missing | build_failed
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  integerOption("thread_count", options.thread_count, 1, THREAD_COUNT_MAX);
  integerOption("context_tokens", options.context_tokens, 1, CONTEXT_TOKENS_MAX);
  integerOption("max_sequences", options.max_sequences, 1, MAX_SEQUENCES_LIMIT);
  integerOption("max_queue", options.max_queue, 0, MAX_QUEUE_LIMIT);
  const full_path = resolve(path);
  if (!existsSync(full_path)) {
    throw new SherryError("file_not_found", "the model", {
      expected: "a .sherry file",
      received: `no file at ${full_path}`,
      next_step: "Check the path, or make the file with sherry-pack",
    });
  }
  // Built here rather than in the worker, so that a missing tool is an error of this call, not of a thread.
  if (process.env["SHERRY_LIBRARY"] === undefined) builtLibrary();
  const worker = new Worker(new URL("./worker.ts", import.meta.url));
  const max_sequences = options.max_sequences ?? MAX_SEQUENCES_DEFAULT;
  const info = await opened(worker, {
    type: "open",
    settings: {
      path: full_path,
      id: options.id ?? basename(full_path, extname(full_path)),
      max_sequences,
      thread_count: options.thread_count,
      context_tokens: options.context_tokens,
      key_value_element: options.key_value_element,
      lock_memory: options.lock_memory,
      coarse_head: options.coarse_head,
      cpu_level: options.cpu_level,
    },
  });
  return new ThreadedModel(worker, info, max_sequences, options.max_queue ?? MAX_QUEUE_DEFAULT);
}

function opened(worker: Worker, message: ToWorker): Promise<ModelInfo> {
  return new Promise((resolve_info, reject) => {
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (event.data.type === "opened") return resolve_info(event.data.info);
      if (event.data.type === "open_failed") reject(errorFrom(event.data.error));
      else
        reject(new SherryError("internal", `the model's thread said ${event.data.type} before it was open`));
      worker.terminate();
    };
    worker.onerror = (event) => {
      reject(new SherryError("internal", `the model's thread failed: ${event.message}`));
      worker.terminate();
    };
    worker.postMessage(message);
  });
}

class ThreadedModel implements Model {
  readonly info: ModelInfo;
  readonly #worker: Worker;
  readonly #max_sequences: number;
  readonly #max_queue: number;
  readonly #streams = new Map<number, AnswerStream>();
  #next_request_id = 1;
  #closing: Promise<void> | null = null;
  #onClosed: () => void = () => {};

  constructor(worker: Worker, info: ModelInfo, max_sequences: number, max_queue: number) {
    this.info = info;
    this.#worker = worker;
    this.#max_sequences = max_sequences;
    this.#max_queue = max_queue;
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.#receive(event.data);
    worker.onerror = (event) => {
      const error = new SherryError("internal", `the model's thread failed: ${event.message}`, {
        next_step: "Load the model again",
      });
      this.#closing ??= Promise.resolve();
      this.#endAll(error);
      this.#onClosed();
      worker.terminate();
    };
  }

  generate(prompt: Prompt | string, options: GenerateOptions = {}): AsyncIterableIterator<GenerationChunk> {
    return this.#run(typeof prompt === "string" ? { text: prompt } : prompt, options);
  }

  async *#run(prompt: Prompt, options: GenerateOptions): AsyncGenerator<GenerationChunk, void, void> {
    const { signal, ...plain_options } = options;
    signal?.throwIfAborted();
    this.#admit();
    const request_id = this.#next_request_id++;
    const abort_flag = new Int32Array(new SharedArrayBuffer(4));
    const stream = new AnswerStream(abort_flag);
    this.#streams.set(request_id, stream);
    const onAbort = () => stream.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.#send({ type: "start", request_id, prompt, options: plain_options, abort_flag });
      for await (const chunk of stream) {
        yield chunk;
        if (chunk.finish !== null) return;
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      // Reached by a finished answer too, where the flag no longer has a reader.
      Atomics.store(abort_flag, 0, 1);
      if (stream.is_ended) this.#streams.delete(request_id);
    }
  }

  #admit(): void {
    if (this.#closing !== null) {
      throw new SherryError("closed", "the model was closed", { next_step: "Load it again" });
    }
    const limit = this.#max_sequences + this.#max_queue;
    if (this.#streams.size >= limit) {
      throw new SherryError("queue_full", "too many requests at once", {
        expected: `at most ${this.#max_sequences} running and ${this.#max_queue} waiting`,
        received: "one more",
        next_step: "Try again later",
      });
    }
  }

  load(): { running: number; waiting: number } {
    const running = Math.min(this.#streams.size, this.#max_sequences);
    return { running, waiting: this.#streams.size - running };
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve_closed) => {
      this.#onClosed = resolve_closed;
      for (const stream of this.#streams.values()) {
        stream.abort(new SherryError("closed", "the model was closed while it was answering"));
      }
      this.#send({ type: "close" });
    }).then(() => this.#worker.terminate());
    return this.#closing;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #endAll(error: SherryError): void {
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#streams.clear();
  }

  #receive(message: FromWorker): void {
    if (message.type === "closed") {
      this.#endAll(new SherryError("closed", "the model was closed"));
      this.#onClosed();
      return;
    }
    if (message.type === "opened" || message.type === "open_failed") return;
    const stream = this.#streams.get(message.request_id);
    if (stream === undefined) return;
    if (message.type === "chunk") {
      stream.push(message.chunk);
      if (message.chunk.finish !== null) this.#streams.delete(message.request_id);
      return;
    }
    this.#streams.delete(message.request_id);
    if (message.type === "failed") stream.fail(errorFrom(message.error));
    else stream.end();
  }
}
