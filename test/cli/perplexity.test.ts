/** `sherry perplexity` on made-up models: report, JSON, progress, interrupts and refusals. */
import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { run as compare } from "../../src/cli/compare.ts";
import { run as makeModel } from "../../src/cli/make-model.ts";
import { run as perplexity } from "../../src/cli/perplexity.ts";
import { TEXT_BYTES_MAX } from "../../src/cli/text-file.ts";
import { makeScoringFolder, packAs } from "../generation/scoring-models.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { FakeTerminal } from "./fake-terminal.ts";
import { attempt } from "./run-command.ts";

const pathOf = temporaryFolder();
/** Back to the line's beginning, and wipe it. */
const WIPE = "\r\x1b[K";
const [model, text] = [pathOf("model.sherry"), pathOf("text.txt")];

beforeAll(async () => {
  await makeScoringFolder(pathOf("folder"));
  await packAs(pathOf("folder"), model, { linear: "f32", embedding: "f32" });
  writeFileSync(text, "A short text to measure on.\n");
});

describe("sherry perplexity", () => {
  test("a report, or the same as JSON", async () => {
    const { exit_code, output, errors } = await attempt(perplexity, [
      model,
      "--text",
      text,
      "--threads",
      "1",
    ]);
    expect([exit_code, errors]).toEqual([0, ""]);
    const lines = output.trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/[\d.]+/g, "N"))).toEqual([
      "perplexity    N",
      "nats a token  N",
      "bits a byte   N",
      "tokens        N (N bytes), windows of N, stride N",
      "speed         N tokens/s, N s",
    ]);
    expect(lines[3]).toContain("28 (28 bytes), windows of 128, stride 64");
    const options = ["--context", "20", "--stride", "5", "--tokens", "25", "--threads", "1", "--json"];
    const json = JSON.parse((await attempt(perplexity, [model, "--text", text, ...options])).output);
    expect(json).toMatchObject({ model, text, context: 20, stride: 5, scored_tokens: 24, scored_bytes: 24 });
    expect(json.perplexity).toBeCloseTo(Math.exp(json.nats_per_token), 6);
  });

  test("a model's warning is repeated", async () => {
    const labelled = pathOf("labelled.sherry");
    const sizes = "--layers 1 --hidden 32 --ffn 32 --heads 2 --vocabulary 300";
    await makeModel(["llama", ...sizes.split(" "), "-o", labelled], new FakeTerminal(), null);
    const warning = "random weights (llama, seed 0), its text means nothing\n";
    expect((await attempt(perplexity, [labelled, "--text", text])).errors).toBe(`Warning: ${warning}`);
    const { errors } = await attempt(compare, [labelled, labelled, "--text", text]);
    expect(errors).toBe(`Warning: ${labelled}: ${warning}`.repeat(2));
  });

  test("progress on a terminal only, and an interrupt ends it with 130", async () => {
    const long = pathOf("long.txt");
    writeFileSync(long, "A long text to measure on.\n".repeat(2_000));
    const argv = [model, "--text", long, "--stride", "1", "--threads", "1"];
    const terminal = new FakeTerminal();
    setTimeout(() => terminal.interrupt(), 300);
    const { exit_code, output, errors } = await attempt(perplexity, argv, 80, terminal);
    expect([exit_code, output]).toEqual([130, ""]);
    expect(errors.replaceAll(WIPE, "|")).toMatch(
      /^\|\[[#-]{24}\] +\d+ % {2}\d+ of 54000 tokens {2}\d+ tokens\/s/,
    );
    expect(errors).toEndWith("\r\x1b[KInterrupted.\n");
    expect(terminal.watcher_count).toBe(0);
  });

  test("refusals", async () => {
    const refused = async (...argv: string[]) => (await attempt(perplexity, argv)).errors;
    expect(await refused(model)).toBe(
      "argument_invalid: sherry perplexity: expected --text FILE, received no text. Run 'sherry perplexity --help' for the options",
    );
    expect(await refused(model, "--text", pathOf("none.txt"))).toStartWith("file_not_found: ");
    expect(await refused(pathOf("none.sherry"), "--text", text)).toStartWith("file_");
    expect(await refused(model, "--text", text, "--context", "200")).toStartWith(
      "argument_invalid: context_tokens",
    );
    expect(await refused(model, "--text", text, "--stride", "128")).toStartWith("argument_invalid: stride");
    writeFileSync(pathOf("latin.txt"), Uint8Array.of(0x47, 0x72, 0xfc));
    expect(await refused(model, "--text", pathOf("latin.txt"))).toBe(
      `argument_invalid: ${pathOf("latin.txt")}: expected a text in UTF-8, received other bytes`,
    );
    writeFileSync(pathOf("huge.txt"), new Uint8Array(TEXT_BYTES_MAX + 1));
    expect(await refused(model, "--text", pathOf("huge.txt"))).toBe(
      `argument_invalid: ${pathOf("huge.txt")}: expected a text of at most ${TEXT_BYTES_MAX} bytes, received ${TEXT_BYTES_MAX + 1} bytes. Measure on a part of it`,
    );
    expect((await attempt(perplexity, ["--help"])).output).toContain("sherry perplexity MODEL [options]");
  });
});
