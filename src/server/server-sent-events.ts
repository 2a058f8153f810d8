/**
 * Server-sent events over a pull-driven stream: an event is produced when the client has taken the one before, a
 * comment line goes out while nothing else does, and a client that leaves ends the producer.
 * Source: the HTML standard's event stream format (comment lines begin with a colon).
 */

export interface EventStreamOptions {
  /** Longest silence before a comment line is sent. */
  readonly ping_interval_ms: number;
  /** Writes an error that came after the headers as one last event; null when there is nobody to tell. */
  readonly describeError: (error: unknown) => string | null;
  /** Called once when the client has left before the end. */
  readonly cancel: () => void;
  /** Called once when the stream is over, however it ended. */
  readonly end: () => void;
}

const PING = ": ping\n\n";
const SILENCE = Symbol("silence");

/** One event that carries JSON. */
export function dataEvent(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** What tells OpenAI's clients that the stream is complete. */
export const DONE_EVENT = "data: [DONE]\n\n";

/**
 * Waits a moment for the first event, so that what is refused at once is refused with a status of its own and not
 * inside a stream that began with 200; then hands back the whole stream. A slow start is not held back for longer.
 * @throws what `events` throws before its first event, within `wait_ms`.
 */
export async function startEventStream(
  events: AsyncIterator<string>,
  wait_ms: number,
  options: EventStreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  const first = events.next();
  await withinSilence(first, wait_ms);
  return eventStream(events, first, options);
}

function eventStream(
  events: AsyncIterator<string>,
  first: Promise<IteratorResult<string>>,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<string>> | null = first;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    options.end();
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        pending ??= events.next();
        const result = await withinSilence(pending, options.ping_interval_ms);
        if (over) return;
        if (result === SILENCE) {
          controller.enqueue(encoder.encode(PING));
          return;
        }
        pending = null;
        if (result.done === true) {
          controller.close();
          end();
          return;
        }
        controller.enqueue(encoder.encode(result.value));
      } catch (error) {
        if (over) return;
        const event = options.describeError(error);
        if (event !== null) controller.enqueue(encoder.encode(event));
        controller.close();
        end();
      }
    },
    async cancel() {
      if (over) return;
      options.cancel();
      end();
      // Runs the producer's finally blocks; what it throws by being aborted concerns nobody any more.
      await events.return?.().catch(() => {});
    },
  });
}

async function withinSilence<Value>(
  promise: Promise<Value>,
  duration_ms: number,
): Promise<Value | typeof SILENCE> {
  const { promise: silence, resolve } = Promise.withResolvers<typeof SILENCE>();
  const timer = setTimeout(() => resolve(SILENCE), duration_ms);
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
