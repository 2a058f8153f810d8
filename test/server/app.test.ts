/** The app without a socket: routes, shapes, streams and clients that leave. */
import { describe, expect, test } from "bun:test";
import { Lifecycle } from "../../src/server/lifecycle.ts";
import { timingsOf } from "../../src/server/reply-shapes.ts";
import { until } from "./fake-model.ts";
import { dataOf, json, serveApp, USER_SAYS_HI } from "./serve-app.ts";

const USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const TIMINGS = {
  queue_ms: 1,
  prefill_ms: 10,
  decode_ms: 20,
  prefill_tokens_per_second: 500,
  decode_tokens_per_second: 150,
};

describe("health and models", () => {
  test("health answers while answers are computed, and is not logged", async () => {
    const { app, post, records, model } = serveApp({ token_ms: 20 });
    const slow = post("/v1/completions", { prompt: "hi" });
    await until("the work to begin", () => model.calls.length === 1);
    const reply = await app.request("/health");
    expect([reply.status, await json(reply)]).toEqual([200, { status: "ok" }]);
    expect(records).toEqual([]);
    expect((await slow).status).toBe(200);
    expect(records).toHaveLength(1);
  });

  test("a closing server is unhealthy and refuses new work, with Retry-After", async () => {
    const lifecycle = new Lifecycle();
    lifecycle.beginClosing();
    const { app, post, model } = serveApp({}, { lifecycle });
    for (const reply of [await app.request("/health"), await post("/v1/completions", { prompt: "hi" })]) {
      expect(reply.status).toBe(503);
      expect(reply.headers.get("retry-after")).toBe("1");
      const { error } = await json(reply);
      expect(error).toMatchObject({ type: "server_error", param: null, code: "closed" });
      expect(error.message).toStartWith("The server is shutting down");
    }
    expect(model.calls).toHaveLength(0);
  });

  test("models are listed and found by id, slashes included, encoded or not", async () => {
    const { app } = serveApp({ info: { label: "a toy: random weights ✗" } });
    const list = await app.request("/v1/models");
    const body = await json(list);
    expect(body.object).toBe("list");
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      id: "test/fake-model",
      object: "model",
      owned_by: "sherry",
      description: "a toy: random weights ✗",
      context_length: 128,
    });
    expect(body.data[0].created).toBeInteger();
    expect(list.headers.get("x-sherry-label")).toBe("a toy: random weights ?");
    for (const id of ["test/fake-model", "test%2Ffake-model"]) {
      const reply = await app.request(`/v1/models/${id}`);
      expect([reply.status, await json(reply)]).toEqual([200, body.data[0]]);
    }
  });

  test("a model without a label sends no label header", async () => {
    const { app } = serveApp();
    expect((await app.request("/v1/models")).headers.has("x-sherry-label")).toBe(false);
  });
});

describe("whole replies", () => {
  test("a completion", async () => {
    const { post, model } = serveApp();
    const reply = await post("/v1/completions", { model: "test/fake-model", prompt: "hi", temperature: 0 });
    expect(reply.status).toBe(200);
    const body = await json(reply);
    expect(body.id).toStartWith("cmpl-");
    expect(body).toMatchObject({
      object: "text_completion",
      model: "test/fake-model",
      choices: [{ index: 0, text: "one two three", logprobs: null, finish_reason: "stop" }],
      usage: USAGE,
      timings: TIMINGS,
      seed: 7,
    });
    expect(model.calls[0]?.prompt).toEqual({ text: "hi" });
    expect(model.calls[0]?.options).toMatchObject({ temperature: 0, max_tokens: 16 });
  });

  test("a chat, whose length is left to the model", async () => {
    const { post, model } = serveApp();
    const body = await json(await post("/v1/chat/completions", USER_SAYS_HI));
    expect(body.id).toStartWith("chatcmpl-");
    expect(body).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "one two three", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: USAGE,
      timings: TIMINGS,
    });
    expect(model.calls[0]?.prompt).toEqual({ messages: [{ role: "user", content: "hi" }] });
    expect(model.calls[0]?.options.max_tokens).toBeUndefined();
  });

  test("both limits are called length, as OpenAI's clients know it", async () => {
    const full = serveApp({ reason: "context" });
    expect((await json(await full.post("/v1/completions", { prompt: "hi" }))).choices[0].finish_reason).toBe(
      "length",
    );
    const cut = serveApp();
    const body = await json(await cut.post("/v1/completions", { prompt: "hi", max_tokens: 2 }));
    expect(body.choices[0]).toMatchObject({ text: "one two", finish_reason: "length" });
  });

  test("a reply that took no time has null where a rate would be infinite", async () => {
    const finish = {
      reason: "stop",
      stop_string: null,
      prompt_tokens: 1,
      completion_tokens: 1,
      seed: 1,
    } as const;
    const timings = timingsOf({ ...finish, queue_ms: 0, prefill_ms: 0, decode_ms: 0 });
    expect(timings).toMatchObject({ prefill_tokens_per_second: null, decode_tokens_per_second: null });
  });
});

describe("streams", () => {
  test("a chat stream: role first, no finish before the last, empty delta, then [DONE]", async () => {
    const { post } = serveApp();
    const reply = await post("/v1/chat/completions", { ...USER_SAYS_HI, stream: true });
    expect(reply.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const text = await reply.text();
    expect(text).toEndWith("\n\ndata: [DONE]\n\n");
    const chunks = dataOf(text);
    expect(chunks.map((chunk) => chunk.choices[0].delta)).toEqual([
      { role: "assistant", content: "" },
      { content: "one" },
      { content: " two" },
      { content: " three" },
      {},
    ]);
    expect(chunks.map((chunk) => chunk.choices[0].finish_reason)).toEqual([null, null, null, null, "stop"]);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks.every((chunk) => chunk.object === "chat.completion.chunk" && !("usage" in chunk))).toBe(
      true,
    );
    expect(chunks.at(-1).timings).toEqual(TIMINGS);
  });

  test("a completion stream with usage: null in every chunk, then one chunk with no choices", async () => {
    const { post, records } = serveApp();
    const reply = await post("/v1/completions", {
      prompt: "hi",
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = dataOf(await reply.text());
    expect(chunks.map((chunk) => chunk.choices[0]?.text)).toEqual(["one", " two", " three", "", undefined]);
    expect(chunks.map((chunk) => chunk.usage)).toEqual([null, null, null, null, USAGE]);
    expect(chunks.at(-1).choices).toEqual([]);
    expect(records).toHaveLength(1);
    expect(records[0]?.fields).toMatchObject({
      method: "POST",
      path: "/v1/completions",
      status: 200,
      prompt_tokens: 5,
      completion_tokens: 3,
      finish_reason: "stop",
    });
    expect(records[0]?.fields["aborted"]).toBeUndefined();
  });

  test("silence is filled with comment lines", async () => {
    const { post } = serveApp({ words: ["late"], token_ms: 120 }, { ping_interval_ms: 25 });
    const text = await (await post("/v1/chat/completions", { ...USER_SAYS_HI, stream: true })).text();
    expect(text.match(/^: ping$/gm)?.length ?? 0).toBeGreaterThanOrEqual(2);
    expect(dataOf(text)).toHaveLength(3);
  });

  test("what is refused before the first token keeps its own status", async () => {
    const { post } = serveApp({ running_max: 0 });
    const reply = await post("/v1/chat/completions", { ...USER_SAYS_HI, stream: true });
    expect(reply.status).toBe(429);
    expect(reply.headers.get("retry-after")).toBe("1");
    expect((await json(reply)).error).toMatchObject({ type: "rate_limit_error", code: "queue_full" });
  });

  test("a failure in the middle is one last event without internals, and no [DONE]", async () => {
    const error = new Error("secret of the machine");
    const { post, records } = serveApp({ failure: { after_tokens: 2, error } });
    const text = await (await post("/v1/completions", { prompt: "hi", stream: true })).text();
    const events = dataOf(text);
    expect(events).toHaveLength(3);
    expect(events[2].error).toMatchObject({ type: "server_error", code: "internal", param: null });
    expect(text).not.toContain("secret");
    expect(text).not.toContain("[DONE]");
    expect(records[0]).toMatchObject({ level: "error", fields: { status: 200 } });
    expect(String(records[0]?.fields["failure"])).toContain("secret of the machine");
  });

  test("a model that ends without a finish is an error, streamed and not", async () => {
    const { post, records } = serveApp({ omit_finish: true });
    const whole = await post("/v1/completions", { prompt: "hi" });
    expect(whole.status).toBe(500);
    const text = await (await post("/v1/completions", { prompt: "hi", stream: true })).text();
    expect(dataOf(text).at(-1).error.code).toBe("internal");
    for (const record of records)
      expect(String(record.fields["failure"])).toContain("without a finish reason");
  });
});

describe("clients that leave", () => {
  test("a cancelled stream stops the work within one token", async () => {
    const { post, model, records } = serveApp({ words: Array(1000).fill("x"), token_ms: 5 });
    const reply = await post("/v1/completions", { prompt: "hi", stream: true, max_tokens: 1000 });
    const reader = reply.body?.getReader();
    for (let count = 0; count < 3; count += 1) await reader?.read();
    const tokens = model.calls[0]?.tokens ?? 0;
    await reader?.cancel();
    await until("the work to stop", () => model.calls[0]?.ended !== null);
    expect(model.calls[0]?.options.signal?.aborted).toBe(true);
    expect(model.calls[0]?.tokens).toBeLessThanOrEqual(tokens + 1);
    expect(records[0]?.fields).toMatchObject({ aborted: true });
  });

  test("an aborted request stops a whole reply and a stream", async () => {
    for (const stream of [false, true]) {
      const { post, model, records } = serveApp({ words: Array(1000).fill("x"), token_ms: 5 });
      const client = new AbortController();
      const reply = post(
        "/v1/completions",
        { prompt: "hi", stream, max_tokens: 1000 },
        {
          signal: client.signal,
          headers: { "content-type": "application/json" },
        },
      );
      await until("the work to begin", () => (model.calls[0]?.tokens ?? 0) >= 1);
      client.abort();
      const text = await (await reply).text();
      await until("the log line", () => records.length === 1);
      expect(model.calls[0]?.ended).toBe("aborted");
      expect(text).not.toContain("error");
      expect(records[0]?.fields).toMatchObject({ aborted: true, status: stream ? 200 : 499 });
    }
  });

  test("a request that is aborted already begins nothing", async () => {
    const { post, model, records } = serveApp();
    await post(
      "/v1/completions",
      { prompt: "hi" },
      {
        signal: AbortSignal.abort(),
        headers: { "content-type": "application/json" },
      },
    );
    expect(model.calls.every((call) => call.tokens === 0)).toBe(true);
    expect(records[0]?.fields).toMatchObject({ aborted: true });
  });
});
