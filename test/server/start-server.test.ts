/** The server behind a real socket: clients that hang up, quiet streams, full queues and the shutdown. */
import { afterEach, describe, expect, test } from "bun:test";
import { createApp } from "../../src/server/app.ts";
import type { Log, LogFields } from "../../src/server/log.ts";
import { type ListenOptions, type RunningServer, startServer } from "../../src/server/start-server.ts";
import { FakeModel, type FakeModelOptions, until } from "./fake-model.ts";

const running: RunningServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.shutdown();
});

function start(model_options: FakeModelOptions = {}, options: ListenOptions = {}) {
  const model = new FakeModel(model_options);
  const records: LogFields[] = [];
  const log: Log = (_level, _message, fields = {}) => records.push(fields);
  const server = startServer(model, { port: 0, drain_ms: 100, log, ...options });
  running.push(server);
  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...init,
    });
  return { model, server, post, records };
}

/** Reads a stream's data events one by one. */
async function* eventsOf(reply: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const text of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = (rest + text).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) yield event.slice("data: ".length);
  }
}

const ENDLESS = { words: Array(100_000).fill("x"), token_ms: 5 };
const ASK = { prompt: "hi", stream: true, max_tokens: 100_000 };

describe("over a socket", () => {
  test("two streams side by side; a third whose client hangs up stops within one token", async () => {
    const { model, post, records } = start({ words: Array(40).fill("x"), token_ms: 10 });
    const hang_up = new AbortController();
    const texts = Promise.all(
      [1, 2].map(async () => {
        let text = "";
        for await (const event of eventsOf(await post("/v1/completions", { ...ASK, max_tokens: 40 }))) {
          if (event !== "[DONE]") text += JSON.parse(event).choices[0].text;
        }
        return text;
      }),
    );
    await until("two streams to run", () => model.load().running === 2);
    const third = await post("/v1/completions", { ...ASK, max_tokens: 40 }, { signal: hang_up.signal });
    const events = eventsOf(third);
    for (let count = 0; count < 3; count += 1) await events.next();
    const call = model.calls[2];
    const tokens = call?.tokens ?? 0;
    hang_up.abort();
    await until("the third to stop", () => call?.ended !== null);
    expect(call?.ended).toBe("aborted");
    expect(call?.tokens).toBeLessThanOrEqual(tokens + 1);
    expect(await texts).toEqual(["x".repeat(40), "x".repeat(40)]);
    await until("three log lines", () => records.length === 3);
    expect(records.map((record) => record["aborted"] ?? false).sort()).toEqual([false, false, true]);
  });

  test("a client that hangs up before its whole reply, or before the first token of its stream, stops the work", async () => {
    for (const stream of [false, true]) {
      const { model, post, records } = start({ prefill_ms: 60_000 });
      const hang_up = new AbortController();
      const reply = post("/v1/completions", { ...ASK, stream }, { signal: hang_up.signal });
      await until("the work to begin", () => model.calls.length === 1);
      hang_up.abort();
      await expect(reply).rejects.toThrow();
      await until("the work to stop", () => model.calls[0]?.ended === "aborted");
      await until("the log line", () => records.length === 1);
      expect(records[0]).toMatchObject({ aborted: true, status: 499 });
    }
  });

  test("a body sent in pieces is as good, its client's leaving included, and its size is limited", async () => {
    const { model, post } = start({ prefill_ms: 60_000 }, { body_bytes_max: 64 });
    const inPieces = (...pieces: string[]) =>
      new ReadableStream({
        async start(controller) {
          for (const piece of pieces) {
            controller.enqueue(new TextEncoder().encode(piece));
            await Bun.sleep(5);
          }
          controller.close();
        },
      });
    const hang_up = new AbortController();
    const reply = post("/v1/completions", null, {
      body: inPieces('{"prompt":', '"hi"}'),
      signal: hang_up.signal,
    });
    await until("the work to begin", () => model.calls.length === 1);
    hang_up.abort();
    await expect(reply).rejects.toThrow();
    await until("the work to stop", () => model.calls[0]?.ended === "aborted");
    const large = await post("/v1/completions", null, { body: inPieces("x".repeat(50), "x".repeat(50)) });
    expect(large.status).toBe(413);
  });

  test("a stream with a slow start sends its headers and comment lines meanwhile", async () => {
    const { post } = start({ prefill_ms: 300 }, { ping_interval_ms: 20 });
    const started_ms = performance.now();
    const reply = await post("/v1/completions", ASK);
    expect(performance.now() - started_ms).toBeLessThan(250);
    const text = await reply.text();
    expect(text.match(/^: ping$/gm)?.length ?? 0).toBeGreaterThan(3);
    expect(text).toEndWith("data: [DONE]\n\n");
  });

  test("each event leaves as it is made, not at the end", async () => {
    const { post } = start({ words: ["a", "b"], token_ms: 150 });
    const arrivals_ms: number[] = [];
    for await (const _ of eventsOf(await post("/v1/completions", ASK))) arrivals_ms.push(performance.now());
    expect((arrivals_ms.at(-1) ?? 0) - (arrivals_ms[0] ?? 0)).toBeGreaterThan(100);
  });

  test("a full queue is 429 with Retry-After", async () => {
    const { model, post } = start({ ...ENDLESS, running_max: 1 });
    const hang_up = new AbortController();
    const first = await post("/v1/completions", ASK, { signal: hang_up.signal });
    const second = await post("/v1/completions", ASK);
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, "1"]);
    hang_up.abort();
    await expect(first.text()).rejects.toThrow();
    await until("the place to be free", () => model.load().running === 0);
  });

  test("Bun's idle timeout cuts a quiet reply, and ours is spared", async () => {
    const app = createApp(new FakeModel({ prefill_ms: 5500 }), { ping_interval_ms: 60_000 });
    app.get("/unspared", async (context) => {
      await Bun.sleep(5500);
      return context.text("never");
    });
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 1, fetch: app.fetch });
    const ask = (stream: boolean) =>
      fetch(`${server.url.origin}/v1/completions`, {
        method: "POST",
        body: JSON.stringify({ prompt: "hi", stream }),
        headers: { "content-type": "application/json" },
      }).then((reply) => reply.text());
    const unspared = fetch(`${server.url.origin}/unspared`).then(
      () => "answered",
      () => "cut",
    );
    const [whole, streamed, cut] = await Promise.all([ask(false), ask(true), unspared]);
    expect(whole).toContain("one two three");
    expect(streamed).toEndWith("data: [DONE]\n\n");
    expect(cut).toBe("cut");
    await server.stop(true);
  }, 15_000);

  test("an address that is taken is a typed error", () => {
    const { server } = start();
    expect(() => startServer(new FakeModel(), { port: server.port })).toThrow(
      `The address to listen on: expected one that is free and belongs to this machine, received 127.0.0.1:${server.port} (EADDRINUSE). Choose another with --port or --host`,
    );
  });
});

describe("shutdown", () => {
  test("what runs may finish, what is new is refused, and the model is closed last", async () => {
    const { model, server, post } = start({ words: Array(20).fill("x"), token_ms: 10 }, { drain_ms: 10_000 });
    const reply = await post("/v1/completions", { ...ASK, max_tokens: 20 });
    const closed = server.shutdown();
    expect((await fetch(`${server.url}/health`)).status).toBe(503);
    expect((await post("/v1/completions", ASK)).status).toBe(503);
    expect(model.closed).toBe(false);
    expect(await reply.text()).toEndWith("data: [DONE]\n\n");
    await closed;
    expect(model.closed).toBe(true);
    expect(model.calls.map((call) => call.ended)).toEqual(["finished"]);
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });

  test("at the deadline a stream is told, a whole reply is 503, and both stop", async () => {
    const { model, server, post } = start(ENDLESS, { drain_ms: 50 });
    const stream = await post("/v1/completions", ASK);
    const whole = post("/v1/completions", { ...ASK, stream: false });
    await until("both to run", () => model.load().running === 2);
    const [text, reply] = await Promise.all([stream.text(), whole, server.shutdown()]);
    expect(JSON.parse(text.trim().split("\n\n").at(-1)?.slice("data: ".length) ?? "")).toEqual({
      error: {
        message: "The server is shutting down. Try again shortly",
        type: "server_error",
        param: null,
        code: "closed",
      },
    });
    expect(reply.status).toBe(503);
    expect(model.calls.map((call) => call.ended)).toEqual(["aborted", "aborted"]);
    expect(model.closed).toBe(true);
  });

  test("an idle server ends at once, however often it is asked to", async () => {
    const { model, server } = start({}, { drain_ms: 60_000 });
    await fetch(`${server.url}/health`);
    const started_ms = performance.now();
    await Promise.all([server.shutdown(), server.shutdown()]);
    expect(performance.now() - started_ms).toBeLessThan(2000);
    expect(model.closed).toBe(true);
  });

  test("a client that sends half a request does not hold the end up", async () => {
    const { model, server } = start({}, { drain_ms: 60_000 });
    const socket = await Bun.connect({ hostname: "127.0.0.1", port: server.port, socket: { data() {} } });
    socket.write(
      'POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"p',
    );
    await Bun.sleep(20);
    const started_ms = performance.now();
    await server.shutdown();
    expect(performance.now() - started_ms).toBeLessThan(3000);
    expect(model.closed).toBe(true);
    socket.end();
  });
});
