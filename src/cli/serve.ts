/** `sherry serve`: one model over HTTP, until a signal ends it. */
import { fileURLToPath } from "node:url";
import type { Model } from "../generation/types.ts";
import { type LoadOptions, loadModel } from "../scheduler/load-model.ts";
import { BODY_BYTES_DEFAULT } from "../server/app.ts";
import { createLog, LOG_FORMATS, type Log } from "../server/log.ts";
import {
  DRAIN_MS_DEFAULT,
  HOSTNAME_DEFAULT,
  type ListenOptions,
  PORT_DEFAULT,
  type RunningServer,
  startServer,
} from "../server/start-server.ts";
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "./arguments.ts";
import { MODEL_OPTIONS, modelOptionsOf } from "./model-options.ts";
import { choiceOf, numberOf, textOf, withoutAbsent } from "./option-values.ts";
import { PROCESS_TERMINAL, type Terminal } from "./terminal.ts";

/** Trained by scripts/train.ts; docs/training.md says how to make it again. */
const CARRIED_MODEL_PATH = fileURLToPath(new URL("../models/storyteller.sherry", import.meta.url));

export const description: CommandDescription = {
  name: "sherry serve",
  summary: "Serve a packed model over HTTP, as OpenAI's clients expect it",
  positionals: [
    {
      name: "MODEL",
      description: "A .sherry file (or SHERRY_MODEL; default the little storyteller that comes along)",
      optional: true,
    },
  ],
  options: {
    host: {
      type: "string",
      description: "Address to listen on; 0.0.0.0 is every one of this machine",
      placeholder: "ADDRESS",
      environment: "SHERRY_HOST",
      default_text: HOSTNAME_DEFAULT,
    },
    port: {
      type: "integer",
      description: "Port to listen on; 0 takes any free one",
      environment: "SHERRY_PORT",
      placeholder: "PORT",
      minimum: 0,
      maximum: 65_535,
      default_text: String(PORT_DEFAULT),
    },
    "api-key": {
      type: "string",
      description: "Key that clients must send; better given by its variable, which no process list shows",
      placeholder: "KEY",
      environment: "SHERRY_API_KEY",
      default_text: "none",
    },
    "model-id": {
      type: "string",
      description: "What clients call the model",
      placeholder: "NAME",
      environment: "SHERRY_MODEL_ID",
      default_text: "the file's name",
    },
    "max-sequences": {
      type: "integer",
      description: "Answers computed at a time",
      placeholder: "COUNT",
      environment: "SHERRY_MAX_SEQUENCES",
      minimum: 1,
      maximum: 256,
      default_text: "2",
    },
    "max-queue": {
      type: "integer",
      description: "Requests that may wait; more are refused with 429",
      placeholder: "COUNT",
      environment: "SHERRY_MAX_QUEUE",
      minimum: 0,
      maximum: 65_536,
      default_text: "16",
    },
    ...MODEL_OPTIONS,
    "body-limit": {
      type: "integer",
      description: "Largest request body",
      placeholder: "BYTES",
      environment: "SHERRY_BODY_LIMIT",
      minimum: 1,
      maximum: 64 * 1024 * 1024,
      default_text: String(BODY_BYTES_DEFAULT),
    },
    "drain-seconds": {
      type: "number",
      description: "How long running answers may go on after a signal",
      placeholder: "SECONDS",
      environment: "SHERRY_DRAIN_SECONDS",
      minimum: 0,
      maximum: 86_400,
      default_text: String(DRAIN_MS_DEFAULT / 1000),
    },
    "cors-origin": {
      type: "string",
      description: "Browser origin that may call, or *",
      placeholder: "ORIGIN",
      environment: "SHERRY_CORS_ORIGIN",
      default_text: "none",
    },
    "log-format": {
      type: "string",
      description: "Log lines on standard error",
      placeholder: "FORMAT",
      environment: "SHERRY_LOG_FORMAT",
      choices: LOG_FORMATS,
      default_text: "text",
    },
  },
  examples: [
    "sherry serve",
    "sherry serve model.sherry --port 9000",
    "SHERRY_API_KEY=… sherry serve model.sherry --host 0.0.0.0",
  ],
};

/** What the command needs from outside, replaced by tests. */
export interface ServeSurroundings {
  readonly terminal: Terminal;
  readonly loadModel: (path: string, options: LoadOptions) => Promise<Model>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const REAL_SURROUNDINGS: ServeSurroundings = {
  terminal: PROCESS_TERMINAL,
  loadModel,
  environment: process.env,
};

/**
 * @returns the exit code, once the server has ended: 0.
 * @throws SherryError as `loadModel` and `startServer` do, and for the command line.
 */
export async function run(
  argv: readonly string[],
  { terminal, loadModel: load, environment }: ServeSurroundings = REAL_SURROUNDINGS,
): Promise<number> {
  const parsed = parseCommand(description, argv, environment);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const path = parsed.positionals[0] ?? (environment["SHERRY_MODEL"] || CARRIED_MODEL_PATH);
  const log = createLog(choiceOf(parsed, "log-format", LOG_FORMATS) ?? "text", terminal.writeError);
  const interrupted = Promise.withResolvers<void>();
  const stopWatching = terminal.watchInterrupts(interrupted.resolve);
  try {
    const model = await load(path, {
      ...modelOptionsOf(parsed),
      id: textOf(parsed, "model-id"),
      max_sequences: numberOf(parsed, "max-sequences"),
      max_queue: numberOf(parsed, "max-queue"),
    });
    const server = await startOrClose(model, listenOptionsOf(parsed, log));
    log("info", "serving", { url: server.url, model: model.info.id, path: model.info.path });
    if (model.info.label !== null) log("warn", model.info.label);
    if (isOpenToOthers(parsed))
      log("warn", "other machines can reach this server, and no API key is asked for");
    terminal.write(welcome(server, model));
    await interrupted.promise;
    log("info", "shutting down", { running: model.load().running, waiting: model.load().waiting });
    await server.shutdown();
    log("info", "ended");
    return 0;
  } finally {
    stopWatching();
  }
}

function listenOptionsOf(parsed: ParsedCommand, log: Log): ListenOptions {
  return withoutAbsent({
    log,
    hostname: textOf(parsed, "host"),
    port: numberOf(parsed, "port"),
    api_key: textOf(parsed, "api-key"),
    body_bytes_max: numberOf(parsed, "body-limit"),
    cors_origin: textOf(parsed, "cors-origin"),
    drain_ms: secondsToMs(numberOf(parsed, "drain-seconds")),
  });
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Closes the model when there is no server to own it. */
async function startOrClose(model: Model, options: ListenOptions): Promise<RunningServer> {
  try {
    return startServer(model, options);
  } catch (error) {
    await model.close();
    throw error;
  }
}

function isOpenToOthers(parsed: ParsedCommand): boolean {
  const host = textOf(parsed, "host") ?? HOSTNAME_DEFAULT;
  const is_local = host === "localhost" || host === "::1" || host.startsWith("127.");
  return !is_local && textOf(parsed, "api-key") === undefined;
}

/** Printed once clients may come; a test or a script can wait for its first line. */
function welcome(server: RunningServer, model: Model): string {
  const { id, label, architecture, context_tokens, cpu_level, thread_count } = model.info;
  const facts = `${architecture}, ${context_tokens} tokens of context, ${cpu_level}, threads: ${thread_count}`;
  const body = `{"prompt": "Once upon a time", "max_tokens": 32}`;
  return [
    `Sherry serves ${id} at ${server.url}/v1 (${facts})`,
    ...(label === null ? [] : [`Warning: ${label}`]),
    `Try: curl ${server.url}/v1/completions -H 'content-type: application/json' -d '${body}'`,
    "",
  ].join("\n");
}
