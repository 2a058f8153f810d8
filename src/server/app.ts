/**
 * The HTTP interface of one model as a Hono app: OpenAI's completions, chat completions and models, and /health. It
 * holds no socket, so it can be served by `startServer` or mounted in an app of the user's own.
 */
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { SherryError } from "../errors.ts";
import type { Model } from "../generation/types.ts";
import { type AnswerSettings, answer } from "./answer.ts";
import { ApiError, apiErrorFrom } from "./api-error.ts";
import { describeFailure, Exchange, type ServerContext, type ServerEnvironment } from "./exchange.ts";
import { Lifecycle } from "./lifecycle.ts";
import { type Log, SILENT_LOG } from "./log.ts";
import { chatShape, completionShape } from "./reply-shapes.ts";
import { parseChatRequest, parseCompletionRequest, unknownModel } from "./schemas.ts";

export interface ServerOptions {
  /** When given, everything under /v1 asks for `Authorization: Bearer KEY`. */
  readonly api_key?: string;
  /** Largest request body. Default: 1 MiB. */
  readonly body_bytes_max?: number;
  /** The browser origin that may call this server, or "*". Default: none. */
  readonly cors_origin?: string;
  /** Longest silence in a stream before a comment line is sent. Default: 15 s. */
  readonly ping_interval_ms?: number;
  /** Takes one record a request. Default: none are written. */
  readonly log?: Log;
  /** Shared with whoever shuts the server down. Default: always open. */
  readonly lifecycle?: Lifecycle;
}

export const BODY_BYTES_DEFAULT = 1024 * 1024;
/** Nobody reads it but the log: the number that nginx gave to a client that went away. */
const CLIENT_GONE_STATUS = 499;
const PING_INTERVAL_MS_DEFAULT = 15_000;
/** What the bearer scheme can carry (RFC 6750, b64token). */
const API_KEY_PATTERN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * @param model owned by the caller, who closes it.
 * @throws SherryError argument_invalid, when the API key cannot be sent as a bearer token.
 */
export function createApp(model: Model, options: ServerOptions = {}): Hono<ServerEnvironment> {
  const log = options.log ?? SILENT_LOG;
  const lifecycle = options.lifecycle ?? new Lifecycle();
  const app = new Hono<ServerEnvironment>();
  app.onError((error, context) => replyWithError(error, context));
  app.notFound((context) => {
    const message = `${context.req.method} ${context.req.path} is not served here. Served are ${ROUTE_LIST}`;
    return replyWithError(new ApiError(404, "not_found", message), context);
  });
  app.use(requestId());
  app.use(async (context, next) => {
    const exchange = new Exchange(context.req.raw, log);
    context.set("exchange", exchange);
    if (model.info.label !== null) context.header("x-sherry-label", headerText(model.info.label));
    await next();
    const { streaming, probe } = exchange.record;
    if (!streaming && !probe) exchange.writeLog(context.get("requestId"), context.res.status);
  });
  if (options.cors_origin !== undefined) {
    app.use(cors({ origin: options.cors_origin, exposeHeaders: ["x-request-id", "x-sherry-label"] }));
  }
  app.get("/health", (context) => {
    if (lifecycle.closing) throw new SherryError("closed", "The server is shutting down");
    context.get("exchange").record.probe = true;
    return context.json({ status: "ok" });
  });
  if (options.api_key !== undefined) app.use("/v1/*", requireApiKey(options.api_key));
  const body_bytes_max = options.body_bytes_max ?? BODY_BYTES_DEFAULT;
  app.use("/v1/*", bodyLimit({ maxSize: body_bytes_max, onError: () => refuseBody(body_bytes_max) }));
  addModelRoutes(app, model);
  const ping_interval_ms = options.ping_interval_ms ?? PING_INTERVAL_MS_DEFAULT;
  addGenerationRoutes(app, { model, lifecycle, ping_interval_ms });
  refuseOtherMethods(app);
  return app;
}

/** Every path and the one method it answers to. */
const ROUTES = {
  "/health": "GET",
  "/v1/models": "GET",
  "/v1/models/:id{.+}": "GET",
  "/v1/completions": "POST",
  "/v1/chat/completions": "POST",
} as const;

const ROUTE_LIST = Object.entries(ROUTES)
  .map(([path, method]) => `${method} ${path.replace("{.+}", "")}`)
  .join(", ");

function addModelRoutes(app: Hono<ServerEnvironment>, model: Model): void {
  const created = Math.floor(Date.now() / 1000);
  const { info } = model;
  const described = {
    id: info.id,
    object: "model",
    created,
    owned_by: "sherry",
    description: info.label,
    architecture: info.architecture,
    context_length: info.context_tokens,
  };
  app.get("/v1/models", (context) => context.json({ object: "list", data: [described] }));
  app.get("/v1/models/:id{.+}", (context) => {
    const id = context.req.param("id");
    if (id !== info.id) throw unknownModel(id, info);
    return context.json(described);
  });
}

function addGenerationRoutes(app: Hono<ServerEnvironment>, settings: AnswerSettings): void {
  const { model } = settings;
  const head = (include_usage: boolean) => ({
    id: crypto.randomUUID(),
    created: Math.floor(Date.now() / 1000),
    model: model.info.id,
    include_usage,
  });
  app.post("/v1/completions", async (context) => {
    context.get("exchange").prompt_field = "prompt";
    const request = parseCompletionRequest(await readJson(context), model.info);
    return answer(context, request, completionShape(head(request.include_usage)), settings);
  });
  app.post("/v1/chat/completions", async (context) => {
    context.get("exchange").prompt_field = "messages";
    const request = parseChatRequest(await readJson(context), model.info);
    return answer(context, request, chatShape(head(request.include_usage)), settings);
  });
}

/** After every route: what reaches these has the path of a route and another method. */
function refuseOtherMethods(app: Hono<ServerEnvironment>): void {
  for (const [path, allow] of Object.entries(ROUTES)) {
    app.all(path, (context) => {
      const message = `${context.req.path}: expected ${allow}, received ${context.req.method}`;
      throw new ApiError(405, "method_not_allowed", message, { headers: { allow } });
    });
  }
}

/** @throws ApiError 415 or 400. */
async function readJson(context: ServerContext): Promise<unknown> {
  const content_type = context.req.header("content-type") ?? "nothing";
  // A browser page of any origin may send text/plain without asking; JSON makes it ask first.
  if (!/^application\/json\s*(;|$)/i.test(content_type)) {
    const message = `content-type: expected application/json, received ${content_type.slice(0, 80)}`;
    throw new ApiError(415, "content_type_unsupported", message);
  }
  const text = await context.req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : "not readable";
    throw new ApiError(
      400,
      "json_invalid",
      `The body: expected JSON, received ${text.length} characters: ${reason}`,
    );
  }
}

function requireApiKey(api_key: string) {
  if (!API_KEY_PATTERN.test(api_key)) {
    throw new SherryError("argument_invalid", "The API key", {
      expected: "letters, digits and any of . _ ~ + / - with = at the end",
      received: "other characters, or none",
      next_step: "Choose a key that a bearer token can carry",
    });
  }
  const refuse = (received: string) => () => {
    throw new ApiError(
      401,
      "invalid_api_key",
      `Authorization: expected Bearer and the API key, received ${received}`,
      {
        headers: { "www-authenticate": "Bearer" },
      },
    );
  };
  return bearerAuth({
    token: api_key,
    noAuthenticationHeader: { message: refuse("nothing") },
    invalidAuthenticationHeader: { message: refuse("something else") },
    invalidToken: { message: refuse("another key") },
  });
}

function refuseBody(body_bytes_max: number): never {
  throw new ApiError(
    413,
    "body_too_large",
    `The body: expected at most ${body_bytes_max} bytes, received more`,
  );
}

function replyWithError(error: unknown, context: ServerContext): Response {
  const { record, request, prompt_field } = context.get("exchange");
  if (request.signal.aborted) {
    record.aborted = true;
    return new Response(null, { status: CLIENT_GONE_STATUS });
  }
  const api_error = apiErrorFrom(error, prompt_field, context.get("requestId"));
  if (api_error.status === 500) record.failure = describeFailure(error);
  return context.json(api_error.body(), api_error.status, api_error.headers);
}

/** A header takes visible ASCII; the label's exact text is in /v1/models. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, "?");
}
