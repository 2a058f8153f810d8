/** The app without a socket: every refusal with its words, and the settings that guard it. */
import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { SherryError } from "../../src/errors.ts";
import { createApp } from "../../src/server/app.ts";
import { FakeModel } from "./fake-model.ts";
import { json, serveApp, USER_SAYS_HI } from "./serve-app.ts";

describe("refusals", () => {
  async function errorOf(reply: Response) {
    expect(reply.headers.get("content-type")).toStartWith("application/json");
    expect(reply.headers.get("x-request-id")).toBeString();
    return { status: reply.status, ...(await json(reply)).error };
  }

  test("routes, methods and models that are not served", async () => {
    const { app, post } = serveApp();
    expect(await errorOf(await app.request("/v2/anything"))).toEqual({
      status: 404,
      message:
        "GET /v2/anything is not served here. Served are GET /health, GET /v1/models, GET /v1/models/:id, POST /v1/completions, POST /v1/chat/completions",
      type: "invalid_request_error",
      param: null,
      code: "not_found",
    });
    const other_method = await app.request("/v1/chat/completions");
    expect(other_method.headers.get("allow")).toBe("POST");
    expect(await errorOf(other_method)).toMatchObject({
      status: 405,
      message: "/v1/chat/completions: expected POST, received GET",
      code: "method_not_allowed",
    });
    for (const path of ["/health", "/v1/models", "/v1/models/a/b"]) {
      const reply = await app.request(path, { method: "DELETE" });
      expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET"]);
    }
    const unknown = {
      status: 404,
      message: 'model: expected "test/fake-model", received "gpt-5". GET /v1/models lists what is served',
      param: "model",
      code: "model_not_found",
    };
    expect(await errorOf(await app.request("/v1/models/gpt-5"))).toMatchObject(unknown);
    expect(await errorOf(await post("/v1/completions", { model: "gpt-5", prompt: "hi" }))).toMatchObject(
      unknown,
    );
    expect(
      await errorOf(await post("/v1/chat/completions", { model: "gpt-5", ...USER_SAYS_HI })),
    ).toMatchObject(unknown);
  });

  test("bodies that are too large, of another type, or not JSON", async () => {
    const { post } = serveApp({}, { body_bytes_max: 100 });
    expect(await errorOf(await post("/v1/completions", { prompt: "x".repeat(200) }))).toMatchObject({
      status: 413,
      message: "The body: expected at most 100 bytes, received more",
      code: "body_too_large",
    });
    expect(
      await errorOf(
        await post("/v1/completions", { prompt: "hi" }, { headers: { "content-type": "text/plain" } }),
      ),
    ).toMatchObject({
      status: 415,
      message: "content-type: expected application/json, received text/plain",
      code: "content_type_unsupported",
    });
    const broken = await errorOf(await post("/v1/completions", '{"prompt":'));
    expect(broken).toMatchObject({ status: 400, code: "json_invalid", param: null });
    expect(broken.message).toStartWith("The body: expected JSON, received 10 characters: ");
    const charset = { "content-type": "Application/JSON; charset=utf-8" };
    expect((await post("/v1/completions", { prompt: "hi" }, { headers: charset })).status).toBe(200);
  });

  test("nesting without end is refused, not crashed on", async () => {
    const { post } = serveApp();
    const reply = await post(
      "/v1/completions",
      `${'{"prompt":'}${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
    );
    expect(reply.status).toBe(400);
  });

  test("what the model refuses", async () => {
    const cases = [
      ["queue_full", 429, "queue_full", null],
      ["closed", 503, "closed", null],
      ["context_exceeded", 400, "context_length_exceeded", "messages"],
      ["chat_template_invalid", 400, "chat_template_invalid", "messages"],
    ] as const;
    for (const [code, status, api_code, param] of cases) {
      const error = new SherryError(code, "what happened", { next_step: "What to do" });
      const { post } = serveApp({ failure: { after_tokens: 0, error } });
      const reply = await post("/v1/chat/completions", USER_SAYS_HI);
      expect(reply.headers.get("retry-after")).toBe(status === 429 || status === 503 ? "1" : null);
      expect(await errorOf(reply)).toMatchObject({
        status,
        code: api_code,
        param,
        message: "what happened. What to do",
      });
    }
    for (const [field, param] of [
      ["top_k", "top_k"],
      ["prompt", "messages"],
      ["something", null],
    ] as const) {
      const refused = new SherryError("argument_invalid", field, { expected: "less", received: "more" });
      const { post } = serveApp({ failure: { after_tokens: 0, error: refused } });
      expect(await errorOf(await post("/v1/chat/completions", USER_SAYS_HI))).toMatchObject({
        status: 400,
        code: "argument_invalid",
        param,
        message: `${field}: expected less, received more`,
      });
    }
  });

  test("our own failures say nothing of the inside, and the log says it under the request's id", async () => {
    for (const error of [
      new SherryError("native_failed", "status 7 in secret.zig"),
      new Error("secret"),
      "secret",
    ]) {
      const { post, records } = serveApp({ failure: { after_tokens: 0, error } });
      const reply = await post(
        "/v1/completions",
        { prompt: "hi" },
        {
          headers: { "content-type": "application/json", "x-request-id": "request-17" },
        },
      );
      expect(await errorOf(reply)).toEqual({
        status: 500,
        message: "The server failed to answer. Its log has the reason under request id request-17",
        type: "server_error",
        param: null,
        code: "internal",
      });
      expect(records[0]).toMatchObject({ level: "error", fields: { request_id: "request-17", status: 500 } });
      expect(String(records[0]?.fields["failure"])).toContain("secret");
    }
  });
});

describe("settings", () => {
  test("an API key guards /v1 and leaves /health open", async () => {
    const { app } = serveApp({}, { api_key: "sk-right" });
    expect((await app.request("/health")).status).toBe(200);
    const ask = (authorization?: string) =>
      app.request("/v1/models", authorization === undefined ? {} : { headers: { authorization } });
    for (const [header, received] of [
      [undefined, "nothing"],
      ["Basic abc", "something else"],
      ["Bearer wrong", "another key"],
    ] as const) {
      const reply = await ask(header);
      expect(reply.status).toBe(401);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
      expect((await json(reply)).error).toEqual({
        message: `Authorization: expected Bearer and the API key, received ${received}`,
        type: "invalid_request_error",
        param: null,
        code: "invalid_api_key",
      });
    }
    expect((await ask("Bearer sk-right")).status).toBe(200);
  });

  test("a key that no bearer token can carry is refused at once", () => {
    for (const api_key of ["", "with space", "ключ"]) {
      expect(() => createApp(new FakeModel(), { api_key })).toThrow(
        "The API key: expected letters, digits and any of . _ ~ + / - with = at the end",
      );
    }
  });

  test("browsers of the named origin may call, others may not", async () => {
    const { app } = serveApp({}, { cors_origin: "http://localhost:3000", api_key: "k" });
    const preflight = await app.request("/v1/completions", {
      method: "OPTIONS",
      headers: { origin: "http://localhost:3000", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
    const other = await app.request("/health", { headers: { origin: "http://elsewhere.example" } });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    const none = await serveApp().app.request("/health", { headers: { origin: "http://localhost:3000" } });
    expect(none.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("the app can be mounted in another", async () => {
    const { app, post } = serveApp({ running_max: 0, info: { label: "toy" } });
    const host = new Hono().get("/", (context) => context.text("host")).route("/llm", app);
    expect(await (await host.request("/")).text()).toBe("host");
    expect((await host.request("/llm/health")).status).toBe(200);
    const reply = await host.request("/llm/v1/completions", {
      method: "POST",
      body: '{"prompt":"hi"}',
      headers: { "content-type": "application/json" },
    });
    expect(reply.status).toBe(429);
    expect(reply.headers.get("x-sherry-label")).toBe("toy");
    expect((await json(reply)).error).toEqual(
      (await json(await post("/v1/completions", { prompt: "hi" }))).error,
    );
  });
});
