/** `sherry chat`: turns, the system message, and how a conversation ends. */
import { describe, expect, test } from "bun:test";
import { type ChatSurroundings, run } from "../../src/cli/chat.ts";
import { FakeModel, type FakeModelOptions } from "../server/fake-model.ts";
import { FakeTerminal } from "./fake-terminal.ts";

async function* typed(...lines: string[]): AsyncGenerator<string> {
  yield* lines;
}

function chat(
  argv: readonly string[],
  lines: AsyncIterable<string>,
  options: FakeModelOptions = {},
  terminal = new FakeTerminal(),
) {
  const model = new FakeModel(options);
  const surroundings: ChatSurroundings = { terminal, lines, environment: {}, loadModel: async () => model };
  return { terminal, model, ended: run(argv, surroundings) };
}

describe("sherry chat", () => {
  test("each turn sends the whole conversation, the system message first", async () => {
    const { terminal, model, ended } = chat(
      ["m", "--system", "be brief"],
      typed("first", "second", "", "unread"),
    );
    expect(await ended).toBe(0);
    expect(terminal.output).toBe("one two three\none two three\n");
    expect(model.calls).toHaveLength(2);
    expect(model.calls[1]?.prompt).toEqual({
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "first" },
        { role: "assistant", content: "one two three" },
        { role: "user", content: "second" },
      ],
    });
    expect(model.closed).toBe(true);
    expect(terminal.watcher_count).toBe(0);
  });

  test("a model without a chat template is refused, and closed", async () => {
    const { model, ended } = chat(["m"], typed("hi"), { info: { has_chat_template: false } });
    expect(ended).rejects.toThrow("expected a model with a chat template, received one without");
    await ended.catch(() => {});
    expect(model.closed).toBe(true);
  });

  test("an interrupt ends it with 130", async () => {
    const terminal = new FakeTerminal();
    async function* lines() {
      yield "hi";
      terminal.interrupt();
      yield "again";
    }
    const { ended } = chat(["m"], lines(), {}, terminal);
    expect(await ended).toBe(130);
    expect(terminal.errors).toContain("Interrupted.");
  });

  test("--help says how it ends", async () => {
    const { terminal, ended } = chat(["--help"], typed());
    expect(await ended).toBe(0);
    expect(terminal.output).toContain("an empty line");
  });
});
