/** The app over a fake model, without a socket, as the app's tests use it. */
import { createApp, type ServerOptions } from "../../src/server/app.ts";
import type { Log, LogFields, LogLevel } from "../../src/server/log.ts";
import { FakeModel, type FakeModelOptions } from "./fake-model.ts";

export function serveApp(model_options: FakeModelOptions = {}, options: ServerOptions = {}) {
  const model = new FakeModel(model_options);
  const records: { level: LogLevel; message: string; fields: LogFields }[] = [];
  const log: Log = (level, message, fields = {}) => records.push({ level, message, fields });
  const app = createApp(model, { log, ...options });
  const post = async (path: string, body: unknown, init: RequestInit = {}) =>
    app.request(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...init,
    });
  return { model, app, post, records };
}

export async function json(reply: Response) {
  return JSON.parse(await reply.text());
}

/** The JSON of a stream's data events. */
export function dataOf(text: string) {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice("data: ".length)));
}

export const USER_SAYS_HI = { messages: [{ role: "user", content: "hi" }] };
