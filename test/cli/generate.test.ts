/** `sherry generate`: where the prompt comes from, where the text goes, and how it ends. */
import { describe, expect, test } from "bun:test";
import { run } from "../../src/cli/generate.ts";
import type { LoadOptions } from "../../src/scheduler/load-model.ts";
import { FakeModel, type FakeModelOptions, until } from "../server/fake-model.ts";
import { FakeTerminal } from "./fake-terminal.ts";
import { spawnCommand } from "./spawn-command.ts";

function generate(
  argv: readonly string[],
  { input = null, ...options }: FakeModelOptions & { input?: string | null } = {},
  environment: Record<string, string> = {},
) {
  const terminal = new FakeTerminal(input);
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
  return { terminal, model, loads, ended };
}

const STATISTICS =
  "[prompt: 5 tokens in 10.0 ms (500.0/s); answer: 3 tokens in 20.0 ms (150.0/s); finish: stop; seed: 7]\n";

describe("sherry generate", () => {
  test("the text goes to standard output, the rest beside it, and the model is closed", async () => {
    const { terminal, model, loads, ended } = generate(["model.sherry", "--prompt", "hi"]);
    expect(await ended).toBe(0);
    expect(terminal.output).toBe("one two three\n");
    expect(terminal.errors).toBe(STATISTICS);
    expect(model.calls[0]?.prompt).toEqual({ text: "hi" });
    expect(loads[0]?.path).toBe("model.sherry");
    expect(model.closed).toBe(true);
    expect(terminal.watcher_count).toBe(0);
  });

  test("--json prints one object and nothing else", async () => {
    const { terminal, ended } = generate(["m", "--prompt", "hi", "--json"], { info: { label: "toy" } });
    await ended;
    expect(JSON.parse(terminal.output)).toEqual({
      model: "test/fake-model",
      text: "one two three",
      reason: "stop",
      stop_string: null,
      prompt_tokens: 5,
      completion_tokens: 3,
      seed: 7,
      queue_ms: 1,
      prefill_ms: 10,
      decode_ms: 20,
    });
    expect(terminal.output.trim()).not.toContain("\n");
    expect(terminal.errors).toBe(`Warning: toy\n${STATISTICS}`);
  });

  test("options reach the model, flags before environment variables", async () => {
    const { model, loads, ended } = generate(
      [
        ...["m", "--prompt", "", "--chat", "--max-tokens", "2", "--temperature", "0", "--top-k", "4"],
        ...[
          "--top-p",
          "0.5",
          "--min-p",
          "0.1",
          "--repetition-penalty",
          "1.5",
          "--stop",
          "END",
          "--threads",
          "1",
        ],
      ],
      {},
      { SHERRY_SEED: "9", SHERRY_TEMPERATURE: "1", SHERRY_CONTEXT: "32" },
    );
    await ended;
    expect(model.calls[0]?.prompt).toEqual({ messages: [{ role: "user", content: "" }] });
    const { signal: _, ...options } = model.calls[0]?.options ?? {};
    expect(options).toEqual({
      max_tokens: 2,
      temperature: 0,
      top_k: 4,
      top_p: 0.5,
      min_p: 0.1,
      repetition_penalty: 1.5,
      seed: 9,
      stop: ["END"],
    });
    expect(loads[0]?.options).toMatchObject({ thread_count: 1, context_tokens: 32 });
  });

  test("the prompt may come from standard input, without its last newline", async () => {
    for (const [input, text] of [
      ["two\nlines\n", "two\nlines"],
      ["two\r\n", "two"],
      ["", ""],
    ]) {
      const { model, ended } = generate(["m"], { input: input ?? "" });
      await ended;
      expect(model.calls[0]?.prompt).toEqual({ text: text ?? "" });
    }
  });

  test("no prompt and a keyboard for input is a usage error, before any model is loaded", async () => {
    const { ended, loads } = generate(["m"]);
    await expect(ended).rejects.toThrow(
      "sherry generate: expected --prompt TEXT, or the text on standard input, received neither. Run 'sherry generate --help' for the options",
    );
    expect(loads).toEqual([]);
  });

  test("an interrupt, or a reader that leaves, ends the answer within one token", async () => {
    for (const end of ["interrupt", "closeOutput"] as const) {
      const { terminal, model, ended } = generate(["m", "--prompt", "hi"], {
        words: Array(1000).fill("x"),
        token_ms: 5,
      });
      await until("some text", () => terminal.output.length >= 3);
      const tokens = model.calls[0]?.tokens ?? 0;
      terminal[end]();
      expect(await ended).toBe(130);
      expect(model.calls[0]?.tokens).toBeLessThanOrEqual(tokens + 1);
      expect(terminal.errors).toBe("\nInterrupted.\n");
      expect([model.closed, terminal.watcher_count]).toEqual([true, 0]);
    }
  });

  test("a failure of the model is the command's error, and the model is closed", async () => {
    const { model, ended } = generate(["m", "--prompt", "hi"], {
      failure: { after_tokens: 1, error: new Error("broken") },
    });
    await expect(ended).rejects.toThrow("broken");
    expect(model.closed).toBe(true);
    const cut = generate(["m", "--prompt", "hi"], { omit_finish: true });
    await expect(cut.ended).rejects.toThrow("the model ended its answer without a finish reason");
  });

  test("--help needs no model", async () => {
    const { terminal, ended, loads } = generate(["--help"]);
    expect(await ended).toBe(0);
    expect(terminal.output).toStartWith(
      "Generate text from a packed model\n\nUsage: sherry generate MODEL [options]\n",
    );
    expect(loads).toEqual([]);
  });
});

describe("in a process of its own", () => {
  test("standard input is read and text is written as it is made", async () => {
    const { ended, seen } = spawnCommand("generate", {}, ["m"], "hi\n");
    expect(await ended).toBe(0);
    expect(seen).toEqual({ output: "one two three\n", errors: STATISTICS });
  }, 20_000);

  test("Ctrl-C ends it politely, with 130", async () => {
    const endless = { words: Array(10_000).fill("x"), token_ms: 5 };
    const { child, ended, seen } = spawnCommand("generate", endless, ["m", "--prompt", "hi"]);
    await until("some text", () => seen.output.length >= 3, 10_000);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(seen.errors).toBe("\nInterrupted.\n");
  }, 20_000);
});
