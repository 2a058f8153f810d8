/** `sherry serve`: options, the words at its start, and its end by signals. */
import { describe, expect, test } from "bun:test";
import { description, run } from "../../src/cli/serve.ts";
import { SherryError } from "../../src/errors.ts";
import type { LoadOptions } from "../../src/scheduler/load-model.ts";
import { FakeModel, type FakeModelOptions, until } from "../server/fake-model.ts";
import { FakeTerminal } from "./fake-terminal.ts";
import { spawnCommand } from "./spawn-command.ts";

function serve(
  argv: readonly string[],
  environment: Record<string, string> = {},
  options: FakeModelOptions = {},
) {
  const terminal = new FakeTerminal();
  const model = new FakeModel(options);
  const loads: { path: string; options: LoadOptions }[] = [];
  const ended = run(argv, {
    terminal,
    environment,
    loadModel: async (path, load_options) => {
      loads.push({ path, options: load_options });
      return model;
    },
  });
  const ready = async () => {
    await until("the server to be ready", () => terminal.output.includes("Try: curl"));
    return /at (http:\S+)\/v1/.exec(terminal.output)?.[1] ?? "";
  };
  return { terminal, model, loads, ended, ready };
}

describe("sherry serve", () => {
  test("says where it serves, serves there, and ends on an interrupt with the model closed", async () => {
    const { terminal, model, ended, ready } = serve(["model.sherry", "--port", "0"]);
    const url = await ready();
    expect(terminal.output).toMatch(
      /^Sherry serves test\/fake-model at http:\/\/127\.0\.0\.1:\d+\/v1 \(llama, 128 tokens of context, scalar, threads: 1\)\nTry: curl http:\/\/127\.0\.0\.1:\d+\/v1\/completions -H 'content-type: application\/json' -d '\{"prompt": "Once upon a time", "max_tokens": 32\}'\n$/,
    );
    expect((await fetch(`${url}/health`)).status).toBe(200);
    terminal.interrupt();
    expect(await ended).toBe(0);
    expect(model.closed).toBe(true);
    expect(terminal.watcher_count).toBe(0);
    expect(terminal.errors).toContain("info shutting down running=0 waiting=0\n");
  });

  test("a toy says so at its start, in its log and in every reply", async () => {
    const label = "A toy with random weights";
    const { terminal, ended, ready } = serve(
      ["--port", "0", "--log-format", "json"],
      {},
      { info: { label } },
    );
    const url = await ready();
    expect(terminal.output).toContain(`\nWarning: ${label}\n`);
    const records = terminal.errors
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toContainEqual(expect.objectContaining({ level: "warn", message: label }));
    expect((await fetch(`${url}/health`)).headers.get("x-sherry-label")).toBe(label);
    terminal.interrupt();
    await ended;
  });

  test("without a model the storyteller that comes along is served", async () => {
    const { loads, terminal, ended, ready } = serve(["--port", "0"]);
    await ready();
    expect(loads[0]?.path).toEndWith("/src/models/storyteller.sherry");
    terminal.interrupt();
    await ended;
  });

  test("flags reach the model and the server, before environment variables", async () => {
    const { loads, terminal, ended, ready } = serve(
      [
        "flag.sherry",
        "--port",
        "0",
        "--threads",
        "3",
        "--key-value",
        "f32",
        "--max-queue",
        "0",
        "--model-id",
        "mine",
      ],
      {
        SHERRY_MODEL: "environment.sherry",
        SHERRY_THREADS: "9",
        SHERRY_CONTEXT: "64",
        SHERRY_CPU_LEVEL: "scalar",
        SHERRY_LOCK_MEMORY: "1",
        SHERRY_COARSE_HEAD: "1",
        SHERRY_MAX_SEQUENCES: "4",
        SHERRY_API_KEY: "sk-1",
        SHERRY_BODY_LIMIT: "10",
        SHERRY_HOST: "127.0.0.1",
      },
    );
    const url = await ready();
    expect(loads).toEqual([
      {
        path: "flag.sherry",
        options: {
          thread_count: 3,
          context_tokens: 64,
          key_value_element: "f32",
          lock_memory: true,
          coarse_head: true,
          cpu_level: "scalar",
          id: "mine",
          max_sequences: 4,
          max_queue: 0,
        },
      },
    ]);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const headers = { authorization: "Bearer sk-1", "content-type": "application/json" };
    expect(
      (await fetch(`${url}/v1/completions`, { method: "POST", body: '{"prompt":""}', headers })).status,
    ).toBe(413);
    terminal.interrupt();
    await ended;
  });

  test("the environment names the model when no argument does", async () => {
    const { loads, terminal, ended, ready } = serve([], {
      SHERRY_MODEL: "environment.sherry",
      SHERRY_PORT: "0",
    });
    await ready();
    expect(loads[0]?.path).toBe("environment.sherry");
    terminal.interrupt();
    await ended;
  });

  test("a server open to other machines without a key is warned about", async () => {
    const open = serve(["--port", "0", "--host", "0.0.0.0"]);
    await open.ready();
    expect(open.terminal.errors).toContain(
      "warn other machines can reach this server, and no API key is asked for",
    );
    open.terminal.interrupt();
    await open.ended;
    const guarded = serve(["--port", "0", "--host", "0.0.0.0", "--api-key", "k"]);
    await guarded.ready();
    expect(guarded.terminal.errors).not.toContain("warn");
    guarded.terminal.interrupt();
    await guarded.ended;
  });

  test("when it cannot listen, the model is closed and the error names the address", async () => {
    const taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const { model, terminal, ended } = serve(["--port", String(taken.port)]);
    await expect(ended).rejects.toThrow(`received 127.0.0.1:${taken.port} (EADDRINUSE)`);
    expect(model.closed).toBe(true);
    expect(terminal.watcher_count).toBe(0);
    await taken.stop(true);
  });

  test("a model that does not load is the command's error", async () => {
    const terminal = new FakeTerminal();
    const loadModel = () => Promise.reject(new SherryError("file_not_found", "the model"));
    await expect(run(["no.sherry"], { terminal, environment: {}, loadModel })).rejects.toThrow("the model");
    expect(terminal.watcher_count).toBe(0);
  });

  test("wrong options are refused by name", async () => {
    for (const [argv, message] of [
      [["--port", "70000"], "--port: expected an integer from 0 to 65535, received 70000"],
      [["--key-value", "q4"], "--key-value: expected f16, f32, q8, received q4"],
      [["--log-format", "xml"], "--log-format: expected text, json, received xml"],
      [["a", "b"], "sherry serve: expected MODEL, received a b"],
      [["--prot", "1"], "sherry serve: Unknown option '--prot'"],
    ] as const) {
      await expect(serve(argv).ended).rejects.toThrow(message);
    }
  });

  test("--help shows every option with its default and its environment variable", async () => {
    const { terminal, ended, loads } = serve(["--help"]);
    expect(await ended).toBe(0);
    for (const [name, option] of Object.entries(description.options)) {
      expect(terminal.output).toContain(
        option.type === "boolean" ? `--${name} ` : `--${name} ${option.placeholder}`,
      );
      expect(option.environment).toStartWith("SHERRY_");
      expect(terminal.output).toContain(`default ${option.default_text}; or ${option.environment}`);
    }
    expect(loads).toEqual([]);
  });
});

describe("signals, in a process of its own", () => {
  const ENDLESS = { words: Array(2000).fill("x"), token_ms: 10 };
  const ask = (url: string) =>
    fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "hi", stream: true, max_tokens: 2000 }),
      headers: { "content-type": "application/json" },
    });

  async function started(argv: readonly string[]) {
    const process = spawnCommand("serve", ENDLESS, ["--port", "0", ...argv]);
    await until("the server to be ready", () => process.seen.output.includes("Try: curl"), 10_000);
    return { ...process, url: /at (http:\S+)\/v1/.exec(process.seen.output)?.[1] ?? "" };
  }

  test("SIGTERM drains until the deadline, tells the stream, and exits with 0", async () => {
    const { child, ended, url, seen } = await started(["--drain-seconds", "0.2", "--log-format", "json"]);
    const reply = await ask(url);
    child.kill("SIGTERM");
    expect(await reply.text()).toContain('"code":"closed"');
    expect(await ended).toBe(0);
    expect(
      seen.errors
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).message),
    ).toEqual(["serving", "shutting down", "request", "ended"]);
  }, 20_000);

  test("a second signal ends it at once, with 130", async () => {
    const { child, ended, url, seen } = await started(["--drain-seconds", "60"]);
    const reply = await ask(url);
    child.kill("SIGINT");
    await until("the shutdown to begin", () => seen.errors.includes("shutting down"));
    expect((await fetch(`${url}/health`)).status).toBe(503);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    await expect(reply.text()).rejects.toThrow();
  }, 20_000);
});
