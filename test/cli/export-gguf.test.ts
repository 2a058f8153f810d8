/** `sherry-pack` with GGUF files, there and back, as typed. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../../src/cli/sherry-pack.ts";
import { writeGguf } from "../../src/packing/gguf/writer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { directoryText, withDirectoryText } from "../format/sample-file.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { blockModel } from "../packing/gguf/block-model.ts";
import { fileBytes, kv } from "../packing/gguf/gguf-bytes.ts";
import { FakeTerminal } from "./fake-terminal.ts";

async function sherryPack(...argv: string[]) {
  const terminal = new FakeTerminal();
  const exit_code = await run(argv, terminal, null);
  return { exit_code, terminal };
}

test("a GGUF file is packed and written again; tables and sentences say what happened", async () => {
  using place = new TemporaryFolder();
  const [source, packed, back] = [place.at("m.gguf"), place.at("m.sherry"), place.at("back.gguf")];
  await writeGguf(source, blockModel("llama").contents);
  const { exit_code, terminal } = await sherryPack(source, "-o", packed);
  expect([exit_code, terminal.errors]).toEqual([0, ""]);
  const lines = terminal.output.split("\n");
  expect(lines).toContain("14 of 14 linear tensors were packed without loss from STQ1_0.");
  expect(lines).toContain("The embedding comes as Q6_K and is stored as q6k without loss.");
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^model\.layers\.0\.mlp\.up_proj\.weight +sherry group:256 f16 +512 x 256 +1\.3125 +0 \(exact\), on the grid$/,
    ),
  );
  const turned = await sherryPack(packed, "--to-gguf", back);
  expect([turned.exit_code, turned.terminal.errors]).toEqual([0, ""]);
  expect(turned.terminal.output).toMatch(
    /^tensor +type +columns x rows\ntoken_embd\.weight +Q6_K +256 x 270\n/,
  );
  expect(turned.terminal.output).toMatch(/\nWrote .*back\.gguf: 0\.\d\d MB in \d+\.\d\d s\.\n$/);
  const json = await sherryPack(packed, "--to-gguf", place.at("old.gguf"), "--legacy-stq1-id", "--json");
  const summary = JSON.parse(json.terminal.output);
  expect(summary).toMatchObject({ input: packed, output: place.at("old.gguf"), warnings: [] });
  expect(summary.tensors[2]).toEqual({ name: "blk.0.attn_q.weight", type: "STQ1_0", dimensions: [256, 768] });
  expect(summary.file_bytes).toBe(readFileSync(place.at("old.gguf")).length);
});

test("--json of packing tells source types and what was kept", async () => {
  using place = new TemporaryFolder();
  await writeGguf(place.at("m.gguf"), blockModel("qwen3", { embedding: "Q8_0" }).contents);
  const { terminal } = await sherryPack(place.at("m.gguf"), "--dry-run", "--json");
  const { tensors, sentences } = JSON.parse(terminal.output);
  expect(tensors[0]).toMatchObject({
    kind: "q8",
    source_type: "Q8_0",
    keeps_blocks: true,
    relative_rms_error: 0,
  });
  expect(tensors[1]).toMatchObject({ kind: "f32", source_type: "F32", keeps_blocks: false });
  expect(tensors[2]).toMatchObject({
    kind: "sherry",
    source_type: "STQ1_0",
    keeps_blocks: true,
    on_grid: true,
  });
  expect(sentences).toEqual([
    "14 of 14 linear tensors were packed without loss from STQ1_0.",
    "The embedding comes as Q8_0 and is stored as q8 without loss.",
  ]);
  expect(readdirSync(place.path)).toEqual(["m.gguf"]);
});

test("what GGUF has no word for is a warning where nothing is computed from it", async () => {
  using place = new TemporaryFolder();
  const changed = place.at("changed.sherry");
  const { contents } = blockModel("llama", { linear: "F16", embedding: "F16" });
  await writeGguf(place.at("m.gguf"), contents);
  await sherryPack(place.at("m.gguf"), "--linear", "f16", "-o", place.at("m.sherry"));
  // The same model with a temperature that it does not use.
  const file = new Uint8Array(readFileSync(place.at("m.sherry")));
  const text = directoryText(file).replace('"temperature":null', '"temperature":0.5');
  writeFileSync(
    changed,
    withDirectoryText(file, text.replace('"add_bos_token"', '"legacy":true,"add_bos_token"')),
  );
  const { terminal } = await sherryPack(changed, "--to-gguf", place.at("back.gguf"));
  expect(terminal.errors.split("\n")).toEqual([
    "warning: The temperature 0.5 is left out: the model proposes greedy decoding, which GGUF says by having none",
    "warning: tokenizer_config.json: 1 fields that GGUF has no keys for are left out",
    "",
  ]);
});

describe("refusals", () => {
  const see_help = "Run 'sherry-pack --help' for the options";

  test("options of packing beside --to-gguf, and its own without it", async () => {
    expect(await asyncRefusal(() => sherryPack("m.sherry", "--to-gguf", "x", "--linear", "q8"))).toEqual({
      code: "argument_invalid",
      message: `--linear: expected only --legacy-stq1-id and --json beside --to-gguf, received another option. ${see_help}`,
    });
    expect(await asyncRefusal(() => sherryPack("m.gguf", "--legacy-stq1-id"))).toEqual({
      code: "argument_invalid",
      message: `--legacy-stq1-id: expected --to-gguf beside it, received none. ${see_help}`,
    });
  });

  test("a Q2_0 tensor under the id 42, both readings named", async () => {
    using place = new TemporaryFolder();
    const bytes = fileBytes({
      metadata: [kv.text("general.architecture", "llama")],
      tensors: [{ name: "blk.0.attn_q.weight", dimensions: [256, 32], type_id: 42, offset: 0 }],
      data: new Uint8Array(32 * 72),
    });
    writeFileSync(place.at("q2.gguf"), bytes);
    const refused = await asyncRefusal(() => sherryPack(place.at("q2.gguf"), "-o", place.at("out.sherry")));
    expect(refused).toEqual({
      code: "checkpoint_unsupported",
      message:
        "q2.gguf: tensor blk.0.attn_q.weight: type 42: expected STQ1_0 (1344 bytes), received 2304 bytes of room, " +
        "which make it Q2_0 (2304 bytes); Q2_0 is not supported. " +
        "Use a file of another quantization, or pack the original checkpoint",
    });
    expect(readdirSync(place.path)).toEqual(["q2.gguf"]);
  });

  test("a packed file without --to-gguf", async () => {
    using place = new TemporaryFolder();
    await writeGguf(place.at("m.gguf"), blockModel("llama").contents);
    await sherryPack(place.at("m.gguf"), "-o", place.at("m.sherry"));
    const refused = await asyncRefusal(() => sherryPack(place.at("m.sherry"), "-o", place.at("x.sherry")));
    expect(refused.message).toEndWith("received a packed file. To turn it into a GGUF file, add --to-gguf");
  });
});

test("an interrupted turn to GGUF leaves nothing", async () => {
  using place = new TemporaryFolder();
  await writeGguf(place.at("m.gguf"), blockModel("llama").contents);
  await sherryPack(place.at("m.gguf"), "-o", place.at("m.sherry"));
  const terminal = new FakeTerminal();
  const watch = terminal.watchInterrupts.bind(terminal);
  terminal.watchInterrupts = (onInterrupt) => {
    onInterrupt();
    return watch(onInterrupt);
  };
  expect(await run([place.at("m.sherry"), "--to-gguf", place.at("back.gguf")], terminal, null)).toBe(130);
  expect(terminal.errors).toBe("interrupted; nothing was written\n");
  expect(readdirSync(place.path).toSorted()).toEqual(["m.gguf", "m.sherry"]);
});
