/**
 * From a checkpoint to text over HTTP, with the real programs: sherry-pack makes the file, `sherry serve` answers, an
 * independent implementation's text is what must come out.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTokenizer, type Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type ReferenceCase, referenceCases, SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";

const ROOT = join(import.meta.dir, "..", "..");
const START_MS = 60_000;

interface Served {
  readonly url: string;
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
}

/** Starts `sherry serve` on a free port and waits for the line that says where. */
async function serve(args: readonly string[]): Promise<Served> {
  const child = Bun.spawn(
    [process.execPath, join(ROOT, "src/cli/sherry.ts"), "serve", "--port", "0", ...args],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const url = Promise.withResolvers<string>();
  let said = "";
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      said += decoder.decode(bytes, { stream: true });
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (match !== null) url.resolve(match[0]);
    }
  };
  void Promise.all([follow(child.stdout), follow(child.stderr)]).then(() =>
    url.reject(new Error(`sherry serve ended without a URL:\n${said}`)),
  );
  return { url: await url.promise, process: child };
}

async function stop(served: Served): Promise<number> {
  served.process.kill("SIGTERM");
  return served.process.exited;
}

function post(url: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

interface Completion {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string | null }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

async function completion(response: Response): Promise<Completion> {
  expect(response.status).toBe(200);
  return (await response.json()) as Completion;
}

/** The data of each event, [DONE] left out but demanded. */
async function events(
  response: Response,
): Promise<{ choices: { text: string; finish_reason: string | null }[] }[]> {
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  expect(lines.pop()).toBe("data: [DONE]");
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

describe.skipIf(SKIPS_SHARED)("stories260K over HTTP (needs ../shared)", () => {
  let folder: string;
  let served: Served;
  let cases: readonly ReferenceCase[];
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sherry-http-"));
    const file = join(folder, "stories.sherry");
    const packed = Bun.spawnSync(
      [
        process.execPath,
        join(ROOT, "src/cli/sherry-pack.ts"),
        STORIES_FOLDER,
        "--output",
        file,
        "--linear",
        "f32",
        "--embedding",
        "f32",
      ],
      { stdout: "pipe", stderr: "pipe" },
    );
    expect(packed.stderr.toString()).not.toContain("error:");
    expect(packed.exitCode).toBe(0);
    served = await serve([file]);
    cases = await referenceCases();
    tokenizer = loadTokenizer(
      new Uint8Array(await Bun.file(join(STORIES_FOLDER, "tokenizer.json")).arrayBuffer()),
      {},
    );
  }, START_MS);

  afterAll(async () => {
    if (served !== undefined) await stop(served);
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /** The reference's text: what its tokens add to the prompt's. */
  function expectedText({ prompt_tokens, greedy }: ReferenceCase): string {
    const decode = (ids: readonly number[]) => tokenizer.decode(ids, { skip_special_tokens: true });
    return decode([...prompt_tokens, ...greedy]).slice(decode(prompt_tokens).length);
  }

  test("all five prompts give the reference text, streamed and not", async () => {
    expect(cases).toHaveLength(5);
    for (const reference of cases) {
      const request = { prompt: reference.prompt, max_tokens: 64, temperature: 0 };
      const whole = await completion(await post(served.url, "/v1/completions", request));
      expect(whole.choices[0]?.text).toBe(expectedText(reference));
      expect(whole.choices[0]?.finish_reason).toBe("length");
      expect(whole.usage).toMatchObject({
        prompt_tokens: reference.prompt_tokens.length,
        completion_tokens: 64,
      });
      const streamed = await events(await post(served.url, "/v1/completions", { ...request, stream: true }));
      const text = streamed.map((event) => event.choices[0]?.text ?? "").join("");
      expect(text).toBe(expectedText(reference));
      expect(streamed.at(-1)?.choices[0]?.finish_reason).toBe("length");
    }
  });

  test("two streams at once and a third that leaves: the text is right in both", async () => {
    const controller = new AbortController();
    const leaving = fetch(`${served.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: "", max_tokens: 500, temperature: 0, stream: true }),
      signal: controller.signal,
    }).then(async (response) => {
      const reader = response.body?.getReader();
      await reader?.read();
      controller.abort();
    });
    const texts = await Promise.all(
      cases.slice(0, 2).map(async ({ prompt }) => {
        const response = await post(served.url, "/v1/completions", {
          prompt,
          max_tokens: 64,
          temperature: 0,
          stream: true,
        });
        return (await events(response)).map((event) => event.choices[0]?.text ?? "").join("");
      }),
    );
    expect(texts).toEqual(cases.slice(0, 2).map(expectedText));
    await leaving.catch(() => {});
  });

  test(
    "SIGTERM ends the server cleanly",
    async () => {
      const other = await serve([join(folder, "stories.sherry")]);
      expect((await fetch(`${other.url}/health`)).status).toBe(200);
      expect(await stop(other)).toBe(0);
    },
    START_MS,
  );
});

describe("the carried model", () => {
  test(
    "is served when none is named, labelled as what it is",
    async () => {
      const served = await serve([]);
      try {
        const models = await (await fetch(`${served.url}/v1/models`)).json();
        expect(JSON.stringify(models)).toContain("storyteller");
        const reply = await post(served.url, "/v1/chat/completions", {
          messages: [{ role: "user", content: "Hello" }],
          max_tokens: 8,
          temperature: 0,
        });
        expect((await completion(reply)).usage.completion_tokens).toBeGreaterThan(0);
      } finally {
        expect(await stop(served)).toBe(0);
      }
    },
    START_MS,
  );
});
