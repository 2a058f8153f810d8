/** `sherry-pack`: what it prints where, its exit codes, and that it writes only what it says. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { run } from "../../src/cli/sherry-pack.ts";
import { openFileSource } from "../../src/format/byte-source.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { LINEAR_KINDS, TABLE_OPTIONS } from "../../src/packing/pack-options.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { TemporaryFolder, writeFolder } from "../packing/checkpoint-folder.ts";
import { writeHollowFolder } from "../packing/hollow-folder.ts";
import { SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const COMMAND = new URL("../../src/cli/sherry-pack.ts", import.meta.url).pathname;
const TOKENIZER = { "tokenizer.json": { version: "1.0" } };

async function pack(argv: readonly string[], progress_columns: number | null = null) {
  const terminal = new FakeTerminal();
  const exit_code = await run(argv, terminal, progress_columns);
  return { exit_code, terminal };
}

async function spawn(argv: readonly string[], cwd: string) {
  const child = Bun.spawn([process.execPath, COMMAND, ...argv], { cwd, stdout: "pipe", stderr: "pipe" });
  const [output, errors, exit_code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { output, errors, exit_code };
}

describe("a run", () => {
  test("writes the file and a table, and says that weights were projected", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"), { files: TOKENIZER });
    const output = place.at("out.sherry");
    const { exit_code, terminal } = await pack([input, "--output", output]);
    expect(exit_code).toBe(0);
    expect(terminal.errors).toBe("");
    const lines = terminal.output.split("\n");
    expect(lines[0]).toMatch(/^tensor +kind +shape +bits a weight +relative error$/);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^model\.layers\.0\.mlp\.down_proj\.weight +sherry channel f32 +16 x 24 +\d+\.\d{4} +0\.\d+, projected$/,
      ),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^model\.norm\.weight +f32 +16 +32\.0000 +0 \(exact\)$/),
    );
    expect(lines).toContain(
      "0 of 7 linear tensors were on the 3:4 grid already and were packed without loss.",
    );
    expect(lines).toContain(
      "7 tensors were projected after training (post-training projection): expect poor text; quality needs Sherry training.",
    );
    expect(terminal.output).toContain(`Wrote ${output}: `);
    const source = openFileSource(output);
    expect(verifyPackedFile(source).problems).toEqual([]);
    source.close();
  });

  test("--json prints one object on stdout, warnings go to stderr", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"));
    const { terminal } = await pack([
      input,
      "-o",
      place.at("out.sherry"),
      "--json",
      "--linear",
      "q8",
      "--embedding",
      "q8",
    ]);
    expect(terminal.errors).toBe(
      "warning: The folder has no tokenizer.json: the packed model takes and gives token ids only\n",
    );
    const summary = JSON.parse(terminal.output);
    expect(summary).toMatchObject({
      input,
      output: place.at("out.sherry"),
      file_bytes: Bun.file(place.at("out.sherry")).size,
      linear_tensors: 7,
      on_grid_tensors: 0,
      projected_tensors: 0,
      sentences: ["The 7 linear tensors are stored as q8."],
    });
    expect(summary.tensors).toHaveLength(11);
    expect(summary.tensors[0]).toMatchObject({
      name: "model.embed_tokens.weight",
      kind: "q8",
      shape: [10, 16],
    });
  });

  test("--dry-run writes nothing and says so", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"), { files: TOKENIZER });
    const { exit_code, terminal } = await pack([input, "-o", place.at("out.sherry"), "--dry-run"]);
    expect(exit_code).toBe(0);
    expect(readdirSync(place.path)).toEqual(["model"]);
    expect(terminal.output).toContain("Dry run: nothing was written; the tensors would take ");
    const json = await pack([input, "--dry-run", "--json"]);
    expect(JSON.parse(json.terminal.output)).toMatchObject({ output: null, file_bytes: null });
  });

  test("the options reach the file", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"), { files: TOKENIZER });
    const argv = [
      input,
      "-o",
      place.at("out.sherry"),
      "--json",
      "--scale",
      "group:64",
      "--embedding",
      "bf16",
    ];
    const { terminal } = await pack([...argv, "--label", "not for use"]);
    const { tensors } = JSON.parse(terminal.output);
    expect(tensors[0].kind).toBe("bf16");
    expect(tensors[2].scale).toEqual({ granularity: "group", group_columns: 64, element: "f16" });
  });

  test("draws progress only where there is a terminal, never wider than it, and clears it", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"), { files: TOKENIZER });
    const { terminal } = await pack([input, "-o", place.at("out.sherry")], 30);
    const drawn = terminal.errors.split("\r\x1b[K");
    expect(drawn.at(-1)).toBe("");
    for (const line of drawn) expect(line.length).toBeLessThan(30);
  });

  test("an interrupted one leaves nothing", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"), { files: TOKENIZER });
    const terminal = new FakeTerminal();
    const watch = terminal.watchInterrupts.bind(terminal);
    terminal.watchInterrupts = (onInterrupt) => {
      onInterrupt();
      return watch(onInterrupt);
    };
    expect(await run([input, "-o", place.at("out.sherry")], terminal, null)).toBe(130);
    expect(terminal.errors).toBe("interrupted; nothing was written\n");
    expect(terminal.watcher_count).toBe(0);
    expect(readdirSync(place.path)).toEqual(["model"]);
  });
});

describe("refusals", () => {
  const see_help = "Run 'sherry-pack --help' for the options";
  const tables = TABLE_OPTIONS.join(", ");
  test.each([
    [["--linear", "q4"], `--linear: expected ${LINEAR_KINDS.join(", ")}, received q4. ${see_help}`],
    [["--embedding", "sherry"], `--embedding: expected ${tables}, received sherry. ${see_help}`],
    [["--head", "q2"], `--head: expected ${tables}, received q2. ${see_help}`],
    [
      ["--scale", "group:100"],
      `--scale: expected auto, tensor, channel, group:32, group:64, group:128, group:256, received group:100. ${see_help}`,
    ],
  ])("%p", async (options, message) => {
    expect(await asyncRefusal(() => pack(["folder", ...options]))).toEqual({
      code: "argument_invalid",
      message,
    });
  });

  test("no folder", async () => {
    expect((await asyncRefusal(() => pack([]))).message).toBe(
      `sherry-pack: expected INPUT, received nothing. ${see_help}`,
    );
  });
});

describe("as a process", () => {
  test("names the file after the folder, in the current one", async () => {
    using place = new TemporaryFolder();
    writeFolder(place.at("a-model"), { files: TOKENIZER });
    const { exit_code, errors } = await spawn(["a-model/"], place.path);
    expect(errors).toBe("");
    expect(exit_code).toBe(0);
    expect(existsSync(place.at("a-model.sherry"))).toBe(true);
  });

  test("exit codes: 2 for a wrong command line, 1 for what fails, errors on stderr alone", async () => {
    using place = new TemporaryFolder();
    const wrong = await spawn(["--nonsense"], place.path);
    expect([wrong.exit_code, wrong.output]).toEqual([2, ""]);
    expect(wrong.errors).toStartWith("error: sherry-pack: ");
    writeFileSync(place.at("config.json"), JSON.stringify({ model_type: "mamba" }));
    const failed = await spawn(["."], place.path);
    expect([failed.exit_code, failed.output]).toEqual([1, ""]);
    expect(failed.errors).toMatch(
      /^error: config\.json: model_type: .*"mamba".*\(checkpoint_unsupported\)\n$/,
    );
    const help = await spawn(["--help"], place.path);
    expect([help.exit_code, help.errors]).toEqual([0, ""]);
    expect(help.output).toContain("Usage: sherry-pack INPUT [options]");
  });

  test("SIGINT in the middle ends it with 130 and leaves nothing", async () => {
    using place = new TemporaryFolder();
    const { folder } = writeHollowFolder(place.at("model"), 2);
    const target = place.at("out.sherry");
    const child = Bun.spawn([process.execPath, COMMAND, folder, "-o", target], {
      stdout: "ignore",
      stderr: "pipe",
    });
    const partial = `${target}.${child.pid}.partial`;
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline && !(existsSync(partial) && Bun.file(partial).size > 1_000_000)) {
      await Bun.sleep(5);
    }
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await child.stderr.text()).toEndWith("interrupted; nothing was written\n");
    expect(readdirSync(place.path)).toEqual(["model"]);
  }, 20_000);
});

describe("--measure", () => {
  test("is refused where nothing is packed", async () => {
    const refused = await asyncRefusal(() => pack(["nowhere", "--dry-run", "--measure", "text.txt"]));
    expect(refused.code).toBe("argument_invalid");
    expect(refused.message).toContain("--measure: expected a file that is packed, received --dry-run");
  });

  test.skipIf(SKIPS_SHARED)("prints perplexity beside that of f16 tables (needs ../shared)", async () => {
    using place = new TemporaryFolder();
    const text = place.at("text.txt");
    writeFileSync(text, "Once upon a time there was a little girl. She had a big red ball. ".repeat(4));
    const effect = async (kind: string) => {
      const { terminal } = await pack([
        STORIES_FOLDER,
        "--output",
        place.at("stories.sherry"),
        ...["--linear", "f32", "--embedding", kind, "--measure", text, "--json"],
      ]);
      const summary: { measured: Record<string, number> } = JSON.parse(terminal.output);
      return summary.measured;
    };
    const same = await effect("f16");
    expect(same["scored_tokens"]).toBeGreaterThan(50);
    expect(same["perplexity"]).toBe(same["perplexity_f16_tables"] ?? 0);
    const coarse = await effect("int4");
    expect(coarse["perplexity_f16_tables"]).toBe(same["perplexity"] ?? 0);
    expect(coarse["perplexity"]).not.toBe(same["perplexity"] ?? 0);
    // Four bits for a table of 512 tokens cost something, but not the model.
    expect(coarse["perplexity"]).toBeLessThan(2 * (same["perplexity"] ?? 0));
  });
});
