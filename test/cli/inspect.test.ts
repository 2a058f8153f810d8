/** `sherry inspect`: the figures it prints, in both forms, and what it refuses. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../src/cli/inspect.ts";
import type { FileContents } from "../../src/format/writer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import {
  CONFIG,
  CONTENTS,
  denseTensor,
  inTemporaryFolder,
  packSample,
  type SampleTensor,
  sampleTensors,
  sherryTensor,
} from "../format/sample-file.ts";

async function inspect(
  options: readonly string[],
  tensors: readonly SampleTensor[] = sampleTensors(),
  contents: FileContents = CONTENTS,
): Promise<string> {
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, "model.sherry");
    writeFileSync(path, await packSample(tensors, contents));
    let printed = "";
    expect(
      await run([path, ...options], (text) => {
        printed += text;
      }),
    ).toBe(0);
    return printed.replaceAll(path, "FILE");
  });
}

const BY_CHANNEL = { granularity: "channel", group_columns: 0, element: "f32" } as const;

test("the tables", async () => {
  const text = await inspect([]);
  const lines = text.split("\n").map((line) => line.replace(/ +/g, " ").trim());
  expect(lines[0]).toMatch(/^FILE: [0-9,]+ bytes, format version 1$/);
  expect(lines).toContain("Label: made for a test");
  expect(lines).toContain("hidden_size 64");
  expect(lines).toContain("rope_scaling null");
  expect(lines).toContain("eos_token_ids [2]");
  expect(lines).toContain("temperature 0.7");
  expect(lines).toContain("packer test");
  expect(lines).toContain("tokenizer 40 bytes");
  expect(lines).toContain("chat template 28 characters");
  // 35 x 64 values and 35 x 2 scales of two bytes, for 35 x 44 weights.
  expect(lines).toContain("model.embed_tokens.weight q8 35 x 44 - 2,380 12.363636");
  // 1.25 bit a weight and one scale of 32 bits for 4,096 weights.
  expect(lines).toContain("model.layers.0.self_attn.q_proj.weight sherry 64 x 64 tensor f32 644 1.257813");
  expect(lines).toContain("model.layers.0.mlp.gate_proj.weight sherry 33 x 300 group:128 f16 3,584 2.896162");
  expect(lines).toContain("model.layers.0.self_attn.v_proj.weight f16 5 x 7 - 70 16");
  expect(lines).toContain("strided sherry 3 x 128 group:256 f16, strided 1,408 29.333333");
  expect(lines).toContain("q6k q6k 3 x 512 - 1,292 6.729167");
  expect(lines).toContain("int4 int4 9 x 44 - 576 11.636364");
});

test("exact totals of the linear tensors", async () => {
  // 172 x 64 by channel: 1,720 bytes of codes, 688 of scales, 200 + 80 of padding; twice.
  const tensors = [
    denseTensor("model.embed_tokens.weight", [70, 64], "f16", 1),
    sherryTensor("model.layers.0.mlp.gate_proj.weight", 172, 64, BY_CHANNEL, 2),
    sherryTensor("model.layers.0.mlp.up_proj.weight", 172, 64, BY_CHANNEL, 3),
    denseTensor("lm_head.weight", [70, 64], "f16", 4),
  ];
  const lines = (await inspect([], tensors)).split("\n").map((line) => line.replace(/ +/g, " ").trim());
  expect(lines).toContain("Linear tensors: 2, of 22,016 weights");
  expect(lines).toContain("codes 3,440 1.25");
  expect(lines).toContain("scales 1,376 1.75");
  expect(lines).toContain("padding 560 1.953488");
  const json = JSON.parse(await inspect(["--json"], tensors));
  expect(json.linear).toEqual({
    tensors: 2,
    weights: 22_016,
    code_bits: 3440 * 8,
    scale_bits: 1376 * 8,
    padding_bits: 560 * 8,
    bits_a_weight: { codes: 1.25, codes_and_scales: 1.75, all: (5376 * 8) / 22_016 },
  });
});

test("--json carries the whole directory and accounts for every byte of the file", async () => {
  const json = JSON.parse(await inspect(["--json"]));
  expect(json).toMatchObject({
    path: "FILE",
    label: CONTENTS.label,
    config: CONFIG,
    provenance: CONTENTS.provenance,
    chat_template: CONTENTS.chat_template,
    tokenizer_config: CONTENTS.tokenizer_config,
  });
  expect(json.tensors.length).toBe(sampleTensors().length);
  const tensor_bytes = json.tensors.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0);
  expect(128 + tensor_bytes + json.tokenizer.bytes + json.between_parts_bytes + json.directory_bytes).toBe(
    json.file_bytes,
  );
});

test("a file with neither tensors nor tokenizer", async () => {
  const contents = { ...CONTENTS, tokenizer: null, chat_template: null, label: null };
  const text = await inspect([], [], contents);
  expect(text).toContain("Linear tensors: none\n");
  expect(text).toMatch(/tokenizer +none\n/);
  expect(text).not.toContain("Label");
  expect(JSON.parse(await inspect(["--json"], [], contents)).linear.bits_a_weight).toEqual({
    codes: 0,
    codes_and_scales: 0,
    all: 0,
  });
});

test("--help, and what is refused", async () => {
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  expect(await run(["--help"], print)).toBe(0);
  expect(printed).toContain("Usage: sherry inspect FILE [options]");
  expect(await asyncRefusal(() => run([], print))).toEqual({
    code: "argument_invalid",
    message: "sherry inspect: expected FILE, received nothing. Run 'sherry inspect --help' for the options",
  });
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "model.sherry");
    expect((await asyncRefusal(() => run([path], print))).code).toBe("file_not_found");
    writeFileSync(path, "something else entirely");
    expect(await asyncRefusal(() => run([path], print))).toEqual({
      code: "format_invalid",
      message:
        "the file's first bytes: expected the magic of a .sherry file, received a file of 23 bytes. " +
        "Make one with sherry-pack",
    });
  });
});
