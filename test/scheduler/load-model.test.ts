/** The threaded model on a toy: streams, limits, aborts, the end. Its weights are random but its rules are not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import type { Finish, GenerateOptions, Model, Prompt } from "../../src/generation/types.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { loadModel } from "../../src/scheduler/load-model.ts";
import { writeFolder } from "../packing/checkpoint-folder.ts";
import { toyModelPath } from "../toy-model.ts";

const TOY = await toyModelPath();

interface Answer {
  readonly text: string;
  readonly token_ids: readonly number[];
  readonly finish: Finish | null;
}

async function collect(
  model: Model,
  prompt: Prompt | string,
  options: GenerateOptions = {},
): Promise<Answer> {
  let text = "";
  const token_ids: number[] = [];
  let finish: Finish | null = null;
  for await (const chunk of model.generate(prompt, options)) {
    text += chunk.text;
    token_ids.push(...chunk.token_ids);
    finish = chunk.finish;
  }
  return { text, token_ids, finish };
}

async function failure(work: Promise<unknown>): Promise<SherryError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SherryError) return error;
    throw error;
  }
  throw new Error("expected a SherryError");
}

async function settles(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition never held");
    await Bun.sleep(1);
  }
}

describe("loadModel", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(TOY, { max_sequences: 2, max_queue: 2 });
  });
  afterAll(async () => {
    await model.close();
  });

  test("says what it loaded", () => {
    expect(model.info.id).toBe("toy");
    expect(model.info.label).toContain("random");
    expect(model.info.architecture).toBe("llama");
    expect(model.info.thread_count).toBeGreaterThan(0);
    expect(model.load()).toEqual({ running: 0, waiting: 0 });
  });

  test("greedy text is the same every time, and the last chunk says how it ended", async () => {
    const first = await collect(model, "Hello", { max_tokens: 20, temperature: 0 });
    const second = await collect(model, "Hello", { max_tokens: 20, temperature: 0 });
    expect(second.text).toBe(first.text);
    expect(second.token_ids).toEqual(first.token_ids);
    expect(first.finish?.reason).toBe("length");
    expect(first.finish?.completion_tokens).toBe(20);
    expect(first.token_ids).toHaveLength(20);
    expect(first.finish?.prompt_tokens).toBeGreaterThan(0);
    expect(first.finish?.prefill_ms).toBeGreaterThan(0);
  });

  test("the same seed gives the same text, another seed another; a drawn seed is reported", async () => {
    const options = { max_tokens: 24, temperature: 1, seed: 7 };
    const first = await collect(model, "Hello", options);
    expect((await collect(model, "Hello", options)).token_ids).toEqual([...first.token_ids]);
    expect((await collect(model, "Hello", { ...options, seed: 8 })).token_ids).not.toEqual([
      ...first.token_ids,
    ]);
    const drawn = await collect(model, "Hello", { max_tokens: 24, temperature: 1 });
    const again = await collect(model, "Hello", {
      max_tokens: 24,
      temperature: 1,
      seed: drawn.finish?.seed ?? -1,
    });
    expect(again.token_ids).toEqual([...drawn.token_ids]);
  });

  test("streams that run at the same time give what they give alone", async () => {
    const prompts = ["Hello", "A longer prompt, so that the two are never in step."];
    const alone: Answer[] = [];
    for (const prompt of prompts)
      alone.push(await collect(model, prompt, { max_tokens: 40, temperature: 0 }));
    const together = await Promise.all(
      prompts.map((prompt) => collect(model, prompt, { max_tokens: 40, temperature: 0 })),
    );
    expect(together.map((answer) => answer.text)).toEqual(alone.map((answer) => answer.text));
  });

  test("a prompt that does not fit one batch gives what its tokens one by one would", async () => {
    const long_prompt = "0123456789".repeat(30);
    const answer = await collect(model, long_prompt, { max_tokens: 8, temperature: 0 });
    expect(answer.finish?.prompt_tokens).toBeGreaterThan(256);
    expect(answer.token_ids).toHaveLength(8);
  });

  test("a stop string ends the answer and never shows in it", async () => {
    const plain = await collect(model, "Hello", { max_tokens: 60, temperature: 0 });
    const middle = plain.text.length >> 1;
    const stop = plain.text.slice(middle, middle + 3);
    const stopped = await collect(model, "Hello", { max_tokens: 60, temperature: 0, stop: [stop] });
    expect(stopped.finish?.reason).toBe("stop");
    expect(stopped.finish?.stop_string).toBe(stop);
    expect(stopped.text).toBe(plain.text.slice(0, plain.text.indexOf(stop)));
  });

  test("a full context ends the answer with its own reason", async () => {
    const answer = await collect(model, "Hello", { temperature: 0 });
    const finish = answer.finish;
    const tokens = (finish?.prompt_tokens ?? 0) + (finish?.completion_tokens ?? 0);
    expect(finish?.reason).toBe("context");
    expect(tokens).toBe(model.info.context_tokens);
  });

  test("an aborted stream throws the signal's reason, stops computing and leaves its place", async () => {
    const controller = new AbortController();
    const reason = new Error("the reader left");
    let chunks = 0;
    const work = (async () => {
      for await (const _ of model.generate("Hello", { temperature: 0, signal: controller.signal })) {
        chunks += 1;
        if (chunks === 3) controller.abort(reason);
      }
    })();
    expect(await work.catch((error: unknown) => error)).toBe(reason);
    expect(chunks).toBe(3);
    await settles(() => model.load().running === 0);
    expect((await collect(model, "Hello", { max_tokens: 4 })).token_ids).toHaveLength(4);
  });

  test("an abort stops the worker within one token, and the other stream is right all the same", async () => {
    const expected = await collect(model, "Other", { max_tokens: 50, temperature: 0 });
    const controller = new AbortController();
    const other = collect(model, "Other", { max_tokens: 50, temperature: 0 });
    const stream = model.generate("Hello", { temperature: 0, signal: controller.signal });
    await stream.next();
    controller.abort();
    const aborted_at = performance.now();
    await stream.next().catch(() => {});
    await settles(() => model.load().running <= 1);
    expect(performance.now() - aborted_at).toBeLessThan(2000);
    expect((await other).text).toBe(expected.text);
  });

  test("leaving the loop stops the work too", async () => {
    for await (const _ of model.generate("Hello", { temperature: 0 })) break;
    await settles(() => model.load().running === 0);
  });

  test("an aborted signal never starts", async () => {
    const stream = model.generate("Hello", { signal: AbortSignal.abort(new Error("too late")) });
    expect(await stream.next().catch(String)).toContain("too late");
    expect(model.load()).toEqual({ running: 0, waiting: 0 });
  });

  test("one request more than the queue holds is refused, and the others are answered", async () => {
    const accepted = Array.from({ length: 4 }, () =>
      collect(model, "Hello", { max_tokens: 30, temperature: 0 }),
    );
    const error = await failure(collect(model, "Hello"));
    expect(error.code).toBe("queue_full");
    expect(error.message).toContain("at most 2 running and 2 waiting");
    const texts = new Set((await Promise.all(accepted)).map((answer) => answer.text));
    expect(texts.size).toBe(1);
  });

  test("the caller's event loop stays free while the model computes", async () => {
    let longest_ms = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest_ms = Math.max(longest_ms, now - last);
      last = now;
    }, 1);
    await collect(model, "0123456789".repeat(40), { max_tokens: 60 });
    clearInterval(timer);
    // Generous: the point is that no forward pass of the prompt holds the loop, not how busy the machine is.
    expect(longest_ms).toBeLessThan(500);
  });

  test("requests that cannot be served are refused by name", async () => {
    const refusals: [Prompt | string, GenerateOptions, string, string][] = [
      [{ token_ids: [] }, {}, "argument_invalid", "at least one token"],
      [{ token_ids: [1, 1e6] }, {}, "argument_invalid", "1000000"],
      [{ token_ids: [-1] }, {}, "argument_invalid", "-1"],
      ["x", { max_tokens: 0 }, "argument_invalid", "max_tokens"],
      ["x", { temperature: -1 }, "argument_invalid", "temperature"],
      ["x", { stop: [""] }, "argument_invalid", "stop"],
    ];
    for (const [prompt, options, code, text] of refusals) {
      const error = await failure(collect(model, prompt, options));
      expect(error.code as string).toBe(code);
      expect(error.message).toContain(text);
    }
    const long = await failure(collect(model, "x".repeat(10_000)));
    expect(long.code).toBe("context_exceeded");
    expect(long.message).toContain(`fewer than ${model.info.context_tokens} tokens`);
  });

  test("a conversation goes through the model's chat template", async () => {
    const answer = await collect(
      model,
      { messages: [{ role: "user", content: "Hello" }] },
      { max_tokens: 5 },
    );
    const plain = await collect(model, "Hello", { max_tokens: 5 });
    expect(answer.finish?.prompt_tokens).toBeGreaterThan(plain.finish?.prompt_tokens ?? 0);
  });
});

describe("the end of a model", () => {
  test("closing aborts what runs; afterwards everything is refused; a second close is quiet", async () => {
    const model = await loadModel(TOY, { thread_count: 1, cpu_level: "scalar" });
    expect(model.info.cpu_level).toBe("scalar");
    const stream = model.generate("Hello", { temperature: 0 });
    await stream.next();
    const rest = failure(
      (async () => {
        while ((await stream.next()).done !== true);
      })(),
    );
    await model.close();
    await model.close();
    expect((await rest).code).toBe("closed");
    expect((await failure(collect(model, "x"))).code).toBe("closed");
  });
});

describe("models that cannot be loaded", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sherry-load-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test("an absent file, a file that is no model, a cut one, and options out of range", async () => {
    const absent = await failure(loadModel(join(folder, "none.sherry")));
    expect(absent.code).toBe("file_not_found");
    expect(absent.message).toContain("none.sherry");
    const text_file = join(folder, "text.sherry");
    writeFileSync(text_file, "x".repeat(1000));
    expect((await failure(loadModel(text_file))).code).toBe("format_invalid");
    const cut_file = join(folder, "cut.sherry");
    const whole = new Uint8Array(await Bun.file(TOY).arrayBuffer());
    writeFileSync(cut_file, whole.subarray(0, whole.length - 97));
    expect((await failure(loadModel(cut_file))).code).toBe("format_invalid");
    for (const options of [
      { max_sequences: 0 },
      { max_queue: -1 },
      { context_tokens: 1e9 },
      { thread_count: 0 },
    ]) {
      expect((await failure(loadModel(TOY, options))).code).toBe("argument_invalid");
    }
    const context = await failure(loadModel(TOY, { context_tokens: 100_000 }));
    expect(context.code).toBe("argument_invalid");
    expect(context.message).toContain("this model's limit");
  });

  test("a packed file without a tokenizer", async () => {
    const input = writeFolder(join(folder, "checkpoint"));
    const file = join(folder, "no-tokenizer.sherry");
    await packCheckpoint({
      input,
      output: file,
      linear: "f32",
      embedding: "f32",
      head: null,
      scale: "auto",
      label: null,
    });
    const error = await failure(loadModel(file));
    expect(error.code).toBe("tokenizer_invalid");
    expect(error.message).toContain("the packed file: expected a tokenizer, received none");
    expect(error.message).toContain("with its tokenizer.json beside the weights");
  });
});
