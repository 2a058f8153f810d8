/**
 * One request and its reply, as the handlers and the log share them: what Hono carries from the first middleware to
 * the last event of a stream.
 */
import type { Context } from "hono";
import type { RequestIdVariables } from "hono/request-id";
import type { Log } from "./log.ts";

/** What the log line of a request says beside method, path, status and duration. */
export interface RequestRecord {
  prompt_tokens?: number;
  completion_tokens?: number;
  finish_reason?: string;
  /** True when the client went away before its reply was complete. */
  aborted?: boolean;
  /** What happened inside, for the log alone. */
  failure?: string;
  /** The reply is a stream, whose end writes the line. */
  streaming: boolean;
  /** A health probe, of which there is one every few seconds and nothing to say. */
  probe: boolean;
}

export interface ServerVariables extends RequestIdVariables {
  readonly exchange: Exchange;
}

export interface ServerEnvironment {
  Variables: ServerVariables;
}

export type ServerContext = Context<ServerEnvironment>;

/** Where the prompt is in a request's body; null for routes without one. */
export type PromptField = "prompt" | "messages" | null;

export class Exchange {
  readonly record: RequestRecord = { streaming: false, probe: false };
  prompt_field: PromptField = null;
  /**
   * The request as the server made it: a middleware may put a copy in its place, whose signal and timeout Bun does not
   * know.
   */
  readonly request: Request;
  readonly #log: Log;
  readonly #started_ms = performance.now();
  #logged = false;

  constructor(request: Request, log: Log) {
    this.request = request;
    this.#log = log;
  }

  /** Writes the request's one log line; a second call writes nothing. */
  writeLog(request_id: string, status: number): void {
    if (this.#logged) return;
    this.#logged = true;
    const { aborted, failure, prompt_tokens, completion_tokens, finish_reason } = this.record;
    this.#log(status >= 500 || failure !== undefined ? "error" : "info", "request", {
      request_id,
      method: this.request.method,
      path: new URL(this.request.url).pathname,
      status,
      duration_ms: Math.round((performance.now() - this.#started_ms) * 100) / 100,
      prompt_tokens,
      completion_tokens,
      finish_reason,
      aborted,
      failure,
    });
  }
}

/**
 * Bun cuts a connection that is quiet for its idle timeout, which a long prompt can be; this switches that off for one
 * request. Elsewhere than under Bun.serve (tests, other hosts) there is no such timeout to switch off.
 */
export function disableIdleTimeout(context: ServerContext): void {
  const host: unknown = context.env;
  if (typeof host !== "object" || host === null || !("timeout" in host)) return;
  if (typeof host.timeout === "function") host.timeout(context.get("exchange").request, 0);
}

/** What a log says about an unforeseen error: its message and where it came from. */
export function describeFailure(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
