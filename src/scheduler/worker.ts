/**
 * The thread that computes. It holds the model and advances up to `max_sequences` answers in turn, one forward pass
 * each; further requests wait in the order they came. Between passes it lets messages in.
 */
import { generateSteps } from "../generation/steps.ts";
import { TextModel } from "../generation/text-model.ts";
import type { GenerationChunk } from "../generation/types.ts";
import { errorData, type FromWorker, type ToWorker, type WorkerSettings } from "./messages.ts";

declare const self: Worker;

type StartMessage = Extract<ToWorker, { type: "start" }>;

interface Waiting {
  readonly message: StartMessage;
  readonly since: number;
}

interface Running {
  readonly message: StartMessage;
  readonly steps: Generator<GenerationChunk | null, void, void>;
}

/** Thrown into a pass whose caller has gone. */
class Aborted extends Error {}

let text_model: TextModel | null = null;
let max_sequences = 1;
const waiting: Waiting[] = [];
let running: Running[] = [];
let is_looping = false;

function send(message: FromWorker): void {
  self.postMessage(message);
}

function isAborted(message: StartMessage): boolean {
  return Atomics.load(message.abort_flag, 0) !== 0;
}

function open(settings: WorkerSettings): void {
  try {
    const opened = TextModel.open(settings.path, settings);
    text_model = opened;
    max_sequences = settings.max_sequences;
    const { model } = opened;
    send({
      type: "opened",
      info: {
        id: settings.id,
        path: settings.path,
        label: model.directory.label,
        architecture: model.directory.config.architecture,
        file_bytes: model.file_bytes,
        context_tokens: model.context_tokens,
        vocab_size: model.directory.config.vocab_size,
        has_chat_template: opened.has_chat_template,
        cpu_level: model.cpu_level,
        thread_count: model.thread_count,
      },
    });
  } catch (error) {
    send({ type: "open_failed", error: errorData(error) });
  }
}

function begin(model: TextModel, { message, since }: Waiting): Running {
  const check = () => {
    if (isAborted(message)) throw new Aborted();
  };
  const queue_ms = performance.now() - since;
  function* steps() {
    const options = model.resolve(message.options);
    yield* generateSteps(model, { prompt: message.prompt, options, queue_ms, check });
  }
  return { message, steps: steps() };
}

/** One pass of one answer. Returns whether it goes on. */
function advance({ message, steps }: Running): boolean {
  const { request_id } = message;
  try {
    if (isAborted(message)) throw new Aborted();
    const step = steps.next();
    if (step.done === true) return false;
    if (step.value !== null) send({ type: "chunk", request_id, chunk: step.value });
    return true;
  } catch (error) {
    // Frees the sequence's cache when the abort came between two passes.
    steps.return();
    if (error instanceof Aborted) send({ type: "aborted", request_id });
    else send({ type: "failed", request_id, error: errorData(error) });
    return false;
  }
}

function admit(model: TextModel): void {
  while (running.length < max_sequences) {
    const next = waiting.shift();
    if (next === undefined) return;
    running.push(begin(model, next));
  }
}

async function loop(model: TextModel): Promise<void> {
  if (is_looping) return;
  is_looping = true;
  while (text_model !== null) {
    admit(model);
    if (running.length === 0) break;
    running = running.filter(advance);
    // Lets messages in: new requests, which the next round admits, and the end.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  is_looping = false;
}

function close(): void {
  for (const { message, steps } of running.splice(0)) {
    steps.return();
    send({ type: "aborted", request_id: message.request_id });
  }
  for (const { message } of waiting.splice(0)) send({ type: "aborted", request_id: message.request_id });
  text_model?.close();
  text_model = null;
  send({ type: "closed" });
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.type) {
    case "open":
      open(message.settings);
      break;
    case "start":
      waiting.push({ message, since: performance.now() });
      if (text_model !== null) void loop(text_model);
      break;
    case "close":
      close();
      break;
  }
};
