/** OpenAI's own npm client against this server: what it sends is understood, what it gets is what it parses. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { type RunningServer, startServer } from "../../src/server/start-server.ts";
import { FakeModel, type FakeModelOptions, until } from "./fake-model.ts";

const API_KEY = "sk-test";
const MODEL = "test/fake-model";
const MESSAGES = [{ role: "user" as const, content: "hi" }];

function connect(model_options: FakeModelOptions = {}) {
  const model = new FakeModel(model_options);
  const server = startServer(model, { port: 0, api_key: API_KEY, drain_ms: 100 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: API_KEY, maxRetries: 0 });
  return { model, server, client };
}

/** OpenAI's promises are a class of their own, which bun's `rejects` does not settle. */
async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

describe("an ordinary model", () => {
  let server: RunningServer;
  let client: OpenAI;
  let model: FakeModel;

  beforeAll(() => {
    ({ server, client, model } = connect());
  });
  afterAll(() => server.shutdown());

  test("models", async () => {
    const ids: string[] = [];
    for await (const listed of client.models.list()) ids.push(listed.id);
    expect(ids).toEqual([MODEL]);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: "model" });
  });

  test("completions, whole and streamed", async () => {
    const whole = await client.completions.create({ model: MODEL, prompt: [1, 2, 3], seed: 11 });
    expect(whole.choices[0]).toMatchObject({ text: "one two three", finish_reason: "stop" });
    expect(model.calls.at(-1)).toMatchObject({ prompt: { token_ids: [1, 2, 3] }, options: { seed: 11 } });
    let text = "";
    for await (const chunk of await client.completions.create({ model: MODEL, prompt: "hi", stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    expect(text).toBe("one two three");
  });

  test("a chat, whole, with the request's id", async () => {
    const { data, request_id } = await client.chat.completions
      .create({ model: MODEL, messages: [{ role: "developer", content: "be brief" }, ...MESSAGES] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe("one two three");
    expect(data.usage?.total_tokens).toBe(8);
    expect(request_id).toBeString();
    expect(model.calls.at(-1)?.prompt).toEqual({
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "hi" },
      ],
    });
  });

  test("a chat, streamed with usage", async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let total_tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      total_tokens = chunk.usage?.total_tokens ?? total_tokens;
    }
    expect([text, total_tokens]).toEqual(["one two three", 8]);
  });

  test("the .stream() helper, which checks the order of chunks itself", async () => {
    const stream = client.chat.completions.stream({
      model: MODEL,
      messages: MESSAGES,
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    stream.on("content", (piece) => pieces.push(piece));
    const completion = await stream.finalChatCompletion();
    expect(pieces).toEqual(["", "one", " two", " three"].filter((piece) => piece !== ""));
    expect(completion.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { role: "assistant", content: "one two three" },
    });
    expect(completion.usage?.completion_tokens).toBe(3);
  });

  test("refusals arrive as the client's own error classes", async () => {
    const ask = (fields: object) =>
      client.chat.completions.create({ model: MODEL, messages: MESSAGES, ...fields, stream: false });
    expect(await rejectionOf(ask({ n: 2 }))).toBeInstanceOf(OpenAI.BadRequestError);
    expect(await rejectionOf(ask({ n: 2 }))).toMatchObject({
      status: 400,
      param: "n",
      code: "unsupported_parameter",
    });
    expect(await rejectionOf(ask({ model: "gpt-5" }))).toBeInstanceOf(OpenAI.NotFoundError);
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "sk-wrong", maxRetries: 0 });
    expect(await rejectionOf(stranger.models.retrieve(MODEL))).toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe("a model in difficulty", () => {
  test("a full queue is a RateLimitError, which the client would retry", async () => {
    const { server, client } = connect({ running_max: 0 });
    const reply = client.chat.completions.create({ model: MODEL, messages: MESSAGES });
    expect(await rejectionOf(reply)).toBeInstanceOf(OpenAI.RateLimitError);
    await server.shutdown();
  });

  test("a failure in the middle of a stream is thrown where the stream is read", async () => {
    const { server, client } = connect({ failure: { after_tokens: 1, error: new Error("inside") } });
    const read = async () => {
      const stream = await client.chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true });
      for await (const _ of stream);
    };
    expect(await rejectionOf(read())).toBeInstanceOf(OpenAI.APIError);
    await server.shutdown();
  });

  test("the client's abort stops the work", async () => {
    const { server, client, model } = connect({ words: Array(10_000).fill("x"), token_ms: 5 });
    const stream = await client.chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true });
    let count = 0;
    let tokens = 0;
    for await (const _ of stream) {
      count += 1;
      if (count !== 5) continue;
      tokens = model.calls[0]?.tokens ?? 0;
      stream.controller.abort();
    }
    await until("the work to stop", () => model.calls[0]?.ended !== null);
    expect(model.calls[0]?.tokens).toBeLessThanOrEqual(tokens + 1);
    await server.shutdown();
  });
});
