/**
 * One generated answer over HTTP, whole or streamed. The work stops as soon as the client has gone, whichever way that
 * shows: the request's signal, the cancelled stream, or the server's own end.
 */
import type { Finish, GenerationChunk, Model } from "../generation/types.ts";
import { apiErrorFrom } from "./api-error.ts";
import { describeFailure, disableIdleTimeout, type ServerContext } from "./exchange.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { finishReason, type ReplyShape } from "./reply-shapes.ts";
import type { ServedRequest } from "./schemas.ts";
import { DONE_EVENT, dataEvent, startEventStream } from "./server-sent-events.ts";

/** How long a stream's headers wait for its first token, so that a refusal can still have its own status. */
const FIRST_EVENT_WAIT_MS = 1000;

export interface AnswerSettings {
  readonly model: Model;
  readonly lifecycle: Lifecycle;
  readonly ping_interval_ms: number;
}

/** A generation under way. */
interface Work {
  readonly chunks: AsyncIterable<GenerationChunk>;
  readonly controller: AbortController;
  /** Called once nothing of it is left to do. */
  readonly release: () => void;
}

/** @throws SherryError and ApiError, before anything of the answer was sent. */
export async function answer(
  context: ServerContext,
  request: ServedRequest,
  shape: ReplyShape,
  settings: AnswerSettings,
): Promise<Response> {
  disableIdleTimeout(context);
  const work = beginWork(context, request, settings);
  try {
    if (request.stream) {
      return await streamedReply(context, work, eventsOf(work.chunks, request, shape, context), settings);
    }
    const reply = await wholeReply(context, work.chunks, shape);
    work.release();
    return reply;
  } catch (error) {
    work.release();
    // Hono hands nothing but Errors to its error handler.
    throw error instanceof Error ? error : new Error(String(error), { cause: error });
  }
}

function beginWork(context: ServerContext, request: ServedRequest, settings: AnswerSettings): Work {
  const controller = new AbortController();
  const end = settings.lifecycle.begin(controller);
  const client = context.get("exchange").request.signal;
  const leave = () => controller.abort(client.reason);
  client.addEventListener("abort", leave, { once: true });
  if (client.aborted) leave();
  const release = () => {
    client.removeEventListener("abort", leave);
    end();
  };
  try {
    const chunks = settings.model.generate(request.prompt, { ...request.options, signal: controller.signal });
    return { chunks, controller, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function wholeReply(
  context: ServerContext,
  chunks: AsyncIterable<GenerationChunk>,
  shape: ReplyShape,
): Promise<Response> {
  const texts: string[] = [];
  let finish: Finish | null = null;
  for await (const chunk of chunks) {
    texts.push(chunk.text);
    finish = chunk.finish ?? finish;
  }
  const finished = requireFinish(finish);
  noteFinish(context, finished);
  return context.json(shape.whole(texts.join(""), finished));
}

async function streamedReply(
  context: ServerContext,
  work: Work,
  events: AsyncIterator<string>,
  settings: AnswerSettings,
): Promise<Response> {
  const exchange = context.get("exchange");
  const request_id = context.get("requestId");
  const { ping_interval_ms } = settings;
  const stream = await startEventStream(events, Math.min(FIRST_EVENT_WAIT_MS, ping_interval_ms), {
    ping_interval_ms,
    describeError: (error) => {
      if (exchange.request.signal.aborted) {
        exchange.record.aborted = true;
        return null;
      }
      exchange.record.failure = describeFailure(error);
      return dataEvent(apiErrorFrom(error, exchange.prompt_field, request_id).body());
    },
    cancel: () => {
      exchange.record.aborted = true;
      work.controller.abort(new DOMException("The client went away", "AbortError"));
    },
    end: () => {
      work.release();
      exchange.writeLog(request_id, 200);
    },
  });
  exchange.record.streaming = true;
  context.header("content-type", "text/event-stream; charset=utf-8");
  context.header("cache-control", "no-cache");
  // Asks a proxy in between (nginx's word for it) not to collect the events.
  context.header("x-accel-buffering", "no");
  return context.body(stream);
}

async function* eventsOf(
  chunks: AsyncIterable<GenerationChunk>,
  request: ServedRequest,
  shape: ReplyShape,
  context: ServerContext,
): AsyncGenerator<string, void, undefined> {
  let finish: Finish | null = null;
  let opened = false;
  for await (const chunk of chunks) {
    if (!opened) {
      opened = true;
      const opening = shape.opening();
      if (opening !== null) yield dataEvent(opening);
    }
    if (chunk.text !== "") yield dataEvent(shape.piece(chunk.text));
    finish = chunk.finish ?? finish;
  }
  const finished = requireFinish(finish);
  noteFinish(context, finished);
  yield dataEvent(shape.closing(finished));
  if (request.include_usage) yield dataEvent(shape.usage(finished));
  yield DONE_EVENT;
}

function noteFinish(context: ServerContext, finish: Finish): void {
  const { record } = context.get("exchange");
  record.prompt_tokens = finish.prompt_tokens;
  record.completion_tokens = finish.completion_tokens;
  record.finish_reason = finishReason(finish);
}

/** A model that ends without saying why has broken its contract; a client must not take that for a complete answer. */
function requireFinish(finish: Finish | null): Finish {
  if (finish === null) throw new Error("the model ended its answer without a finish reason");
  return finish;
}
