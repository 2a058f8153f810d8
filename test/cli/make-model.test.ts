/** `sherry make-model`: options, both forms, the report, progress, interrupts and refusals. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { run } from "../../src/cli/make-model.ts";
import { SherryError } from "../../src/errors.ts";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const pathOf = temporaryFolder();
/** Back to the line's beginning, and wipe it. */
const WIPE = "\r\x1b[K";
const SIZES =
  "--layers 2 --hidden 64 --ffn 96 --heads 4 --key-value-heads 2 --head-dim 8 --vocabulary 300 --positions 99";

async function make(line: string, progress_columns: number | null = null) {
  const terminal = new FakeTerminal();
  try {
    const exit_code = await run(line.split(" "), terminal, progress_columns);
    return { exit_code, output: terminal.output, errors: terminal.errors };
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    return { exit_code: -1, output: terminal.output, errors: `${error.code}: ${error.message}` };
  }
}

function directoryOf(path: string) {
  const source = openFileSource(path);
  try {
    return readPackedFile(source).directory;
  } finally {
    source.close();
  }
}

describe("sherry make-model", () => {
  test("a packed file of given sizes, kinds, scale and seed", async () => {
    const output = pathOf("q.sherry");
    const line = `qwen3 ${SIZES} --untied --embedding q8 --head bf16 --scale group:32 --seed 9 -o ${output}`;
    const made = await make(line);
    expect([made.exit_code, made.errors]).toEqual([0, ""]);
    const { config, tensors, label } = directoryOf(output);
    expect(config).toMatchObject({
      architecture: "qwen3",
      num_hidden_layers: 2,
      hidden_size: 64,
      intermediate_size: 96,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      vocab_size: 300,
      max_position_embeddings: 99,
      tie_word_embeddings: false,
    });
    const kinds = Object.fromEntries(tensors.map(({ name, kind }) => [name, kind]));
    expect([kinds["model.embed_tokens.weight"], kinds["lm_head.weight"]]).toEqual(["q8", "bf16"]);
    const down = tensors.find(({ name }) => name.endsWith("down_proj.weight"));
    expect(down?.scale).toEqual({ granularity: "group", group_columns: 32, element: "f16" });
    expect(label).toBe("random weights (qwen3, seed 9), its text means nothing");
    expect(made.output).toStartWith(`${label}\n\npart       weights  size     bits a weight\nlinear `);
    expect(made.output).toContain(`Wrote ${output} in `);
  });

  test("a Hugging Face folder", async () => {
    const output = pathOf("folder");
    const made = await make(`llama ${SIZES} --as huggingface --output ${output} --json`);
    expect(made.exit_code).toBe(0);
    expect(JSON.parse(made.output)).toMatchObject({
      shape: "llama",
      form: "huggingface",
      output,
      tensors: 20,
    });
    expect(readdirSync(output)).toContain("model.safetensors");
    expect(JSON.parse(readFileSync(`${output}/config.json`, "utf8"))).toMatchObject({ model_type: "llama" });
  });

  test("a dry run gives the size to the byte and the published one, and writes nothing", async () => {
    const output = pathOf("dry.sherry");
    const { output: report } = await make(`bitnet-0.7b --scale tensor --dry-run -o ${output}`);
    expect(report).toContain("linear     679.48 M  106.17 MB  1.2500\n");
    expect(report).toMatch(/\nThe file: 205,\d{3},\d{3} bytes, 205\.4\d MB\.\n/);
    expect(report).toContain(
      "Published for Sherry at this shape, with an f16 embedding: 205.50 MB (arXiv 2601.07892).\nDry run: nothing was written.\n",
    );
    expect(existsSync(output)).toBe(false);
    const folder = await make(`llama ${SIZES} --as huggingface --dry-run`);
    expect(folder.output).not.toContain("bytes");
    expect(folder.output).toEndWith("Dry run: nothing was written.\n");
  });

  test("progress on a terminal only, wiped at the end", async () => {
    const line = `llama ${SIZES.replace("--vocabulary 300", "--vocabulary 600000")} -o ${pathOf("p.sherry")}`;
    expect((await make(line)).errors).toBe("");
    const { errors } = await make(line, 60);
    expect(errors.replaceAll(WIPE, "|")).toMatch(/^\|\[[#-]{24}\] +\d+ % {2}\d+ M weights\/s {2}model\./);
    expect(errors).toEndWith("\r\x1b[K");
    for (const part of errors.split("\r\x1b[K")) expect(part.length).toBeLessThan(60);
  });

  test("an interrupt ends it with 130 and leaves nothing", async () => {
    const terminal = new FakeTerminal();
    const output = pathOf("interrupted.sherry");
    const work = run(["llama-3.2-1b", "-o", output], terminal, null);
    setTimeout(() => terminal.interrupt(), 100);
    expect(await work).toBe(130);
    expect(terminal.errors).toBe("interrupted; nothing was written\n");
    expect(readdirSync(pathOf("")).filter((name) => name.startsWith("interrupted"))).toEqual([]);
    expect(terminal.watcher_count).toBe(0);
  });

  test("refusals", async () => {
    expect((await make("gpt-5")).errors).toStartWith(
      "argument_invalid: the model's shape: expected llama-3.2-1b, ",
    );
    expect((await make("llama --layers 2")).errors).toStartWith(
      "argument_invalid: num_attention_heads: expected a number",
    );
    expect((await make("bitnet-3b --scale auto")).errors).toBe(
      "argument_invalid: --scale: expected tensor, channel, group:32, group:64, group:128, group:256, received auto. Run 'sherry make-model --help' for the options",
    );
    expect((await make("bitnet-3b --head q8")).errors).toStartWith(
      "argument_invalid: head: expected nothing",
    );
    expect((await make("bitnet-3b --layers 0")).errors).toStartWith(
      "argument_invalid: --layers: expected an integer from 1",
    );
    expect((await make("--help")).output).toStartWith("Make a model of a given shape with random weights");
  });
});
