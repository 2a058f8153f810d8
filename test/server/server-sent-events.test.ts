/** The event stream by itself: order, silence, errors, and who is told of the end. */
import { expect, test } from "bun:test";
import { dataEvent, startEventStream } from "../../src/server/server-sent-events.ts";

function observer() {
  const seen: string[] = [];
  return {
    seen,
    options: {
      ping_interval_ms: 10,
      describeError: (error: unknown): string | null => `error: ${String(error)}\n\n`,
      cancel: () => void seen.push("cancel"),
      end: () => void seen.push("end"),
    },
  };
}

test("events in order, a comment in each silence, one end", async () => {
  const { seen, options } = observer();
  async function* events() {
    yield dataEvent({ a: "x\ny" });
    await Bun.sleep(35);
    yield "data: 2\n\n";
  }
  const text = await new Response(await startEventStream(events(), 1000, options)).text();
  expect(text).toMatch(/^data: \{"a":"x\\ny"\}\n\n(: ping\n\n)+data: 2\n\n$/);
  expect(seen).toEqual(["end"]);
});

test("an error before the first event is thrown; a later one is the last event", async () => {
  const { seen, options } = observer();
  // biome-ignore lint/correctness/useYield: a producer that fails before its first event is the case under test.
  async function* early() {
    throw new Error("early");
  }
  await expect(startEventStream(early(), 1000, options)).rejects.toThrow("early");
  expect(seen).toEqual([]);
  async function* late() {
    yield "data: 1\n\n";
    throw new Error("late");
  }
  const text = await new Response(await startEventStream(late(), 1000, options)).text();
  expect(text).toBe("data: 1\n\nerror: Error: late\n\n");
  expect(seen).toEqual(["end"]);
});

test("an error that nobody is left to hear ends the stream in silence", async () => {
  const { seen, options } = observer();
  async function* events() {
    yield "data: 1\n\n";
    throw new Error("gone");
  }
  const stream = await startEventStream(events(), 1000, { ...options, describeError: () => null });
  expect(await new Response(stream).text()).toBe("data: 1\n\n");
  expect(seen).toEqual(["end"]);
});

test("a slow start hands the stream over before its first event, and a later error is an event", async () => {
  const { options } = observer();
  async function* events() {
    await Bun.sleep(30);
    yield "data: 1\n\n";
    throw new Error("late");
  }
  const text = await new Response(await startEventStream(events(), 5, options)).text();
  expect(text).toMatch(/^(: ping\n\n)+data: 1\n\nerror: Error: late\n\n$/);
});

test("cancelling runs the producer's finally and tells once", async () => {
  const { seen, options } = observer();
  async function* events() {
    try {
      for (;;) yield "data: 1\n\n";
    } finally {
      seen.push("finally");
    }
  }
  const stream = await startEventStream(events(), 1000, options);
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  expect(seen).toEqual(["cancel", "end", "finally"]);
});
