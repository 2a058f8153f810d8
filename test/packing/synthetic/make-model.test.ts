/**
 * Random models of every family: the file is whole and speaks, the folder packs to the same tensors, sizes are known to
 * the byte beforehand, and the published sizes are met.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { SherryError } from "../../../src/errors.ts";
import { openFileSource } from "../../../src/format/byte-source.ts";
import { readPackedFile } from "../../../src/format/reader.ts";
import { verifyPackedFile } from "../../../src/format/verify.ts";
import { generateSteps } from "../../../src/generation/steps.ts";
import { TextModel } from "../../../src/generation/text-model.ts";
import { packCheckpoint } from "../../../src/packing/packer.ts";
import { parseScaleReach } from "../../../src/packing/scale-option.ts";
import {
  type MadeModel,
  type MakeModelOptions,
  makeModel,
} from "../../../src/packing/synthetic/make-model.ts";
import { chooseShape, MODEL_SHAPES, type ShapeSizes } from "../../../src/packing/synthetic/shapes.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const pathOf = temporaryFolder();

/** Odd sizes, so that tiles, chunks and groups have ends that do not fit. */
const SMALL: ShapeSizes = {
  num_hidden_layers: 2,
  hidden_size: 164,
  intermediate_size: 292,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 18,
  vocab_size: 300,
  max_position_embeddings: 128,
};

function options(changes: Partial<MakeModelOptions>): MakeModelOptions {
  return {
    shape: chooseShape("llama-3.2-1b", SMALL, true),
    output: null,
    form: "sherry",
    seed: 1,
    scale: parseScaleReach("group:128"),
    embedding: "f16",
    head: null,
    ...changes,
  };
}

function directoryOf(path: string) {
  const source = openFileSource(path);
  try {
    return readPackedFile(source).directory;
  } finally {
    source.close();
  }
}

function problemsOf(path: string) {
  const source = openFileSource(path);
  try {
    return verifyPackedFile(source).problems;
  } finally {
    source.close();
  }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof SherryError ? `${error.code}: ${error.message}` : String(error)),
  );

describe("makeModel", () => {
  for (const name of ["llama", "qwen3", "hunyuan_v1_dense"] as const) {
    for (const tied of [true, false]) {
      test(`${name}, ${tied ? "tied" : "untied"}: whole, of the foretold size, and it generates`, async () => {
        const output = pathOf(`${name}-${tied}.sherry`);
        const shape = chooseShape(name, SMALL, tied);
        const chosen = options({ shape, embedding: "q8", head: tied ? null : "f16" });
        const foretold = await makeModel(chosen);
        const made = await makeModel({ ...chosen, output });
        expect(made.bytes).toBe(openFileSource(output).bytes);
        const unnamed: MadeModel = { ...made, output: null, seconds: 0 };
        expect(unnamed).toEqual({ ...foretold, seconds: 0 });
        expect(problemsOf(output)).toEqual([]);
        expect(directoryOf(output).label).toBe(`random weights (${name}, seed 1), its text means nothing`);
        const text_model = TextModel.open(output, { thread_count: 1 });
        try {
          const settings = text_model.resolve({ max_tokens: 24, seed: 5 });
          const request = { prompt: { text: "Hello" }, options: settings, queue_ms: 0, check: () => {} };
          const answer = [...generateSteps(text_model, request)].map((chunk) => chunk?.text ?? "").join("");
          expect(answer).toMatch(/^[ -~]{8,24}$/);
          // Letters and spaces are what such a model mostly says; another character comes now and then.
          expect(answer.replace(/[^a-z ]/g, "").length).toBeGreaterThanOrEqual(answer.length * 0.8);
        } finally {
          text_model.close();
        }
      });
    }
  }

  test("same seed, same bytes; another seed, others", async () => {
    const bytes = [];
    for (const [index, seed] of [1, 1, 2].entries()) {
      const output = pathOf(`seed-${index}.sherry`);
      await makeModel(options({ output, seed }));
      bytes.push(readFileSync(output));
    }
    expect(bytes[1]?.equals(bytes[0] ?? Buffer.of())).toBe(true);
    const of_seed = [0, 2].map((index) => directoryOf(pathOf(`seed-${index}.sherry`)).tensors);
    for (const [index, { name, sha256 }] of (of_seed[0] ?? []).entries()) {
      expect(of_seed[1]?.[index]?.sha256 === sha256).toBe(name.includes("norm"));
    }
  });

  for (const scale of ["tensor", "channel", "group:64"] as const) {
    test(`the folder packs to the file's tensors, all of them on the grid, scale ${scale}`, async () => {
      for (const name of ["llama-3.2-1b", "qwen3-1.7b", "hy-mt-1.8b"]) {
        const chosen = options({
          shape: chooseShape(name, SMALL, false),
          scale: parseScaleReach(scale),
          embedding: "q8",
          head: "f16",
        });
        const [folder, packed, direct] = ["folder", "packed", "direct"].map((part) =>
          pathOf(`${name}-${scale.replace(":", "")}-${part}`),
        ) as [string, string, string];
        const as_folder = { form: "huggingface", embedding: "bf16", head: null } as const;
        await makeModel({ ...chosen, ...as_folder, output: folder, shard_bytes: 200_000 });
        await makeModel({ ...chosen, output: direct });
        const summary = await packCheckpoint({
          ...{ input: folder, output: packed, linear: "sherry", embedding: "q8", head: "f16" },
          ...{ scale: parseScaleReach(scale), label: directoryOf(direct).label },
        });
        expect(summary.warnings).toEqual([]);
        expect(summary.on_grid_tensors).toBe(summary.linear_tensors);
        expect(summary.linear_tensors).toBe(14);
        expect(readdirSync(folder).filter((file) => file.endsWith(".safetensors")).length).toBeGreaterThan(2);
        const [from_folder, made] = [directoryOf(packed), directoryOf(direct)];
        expect({ ...from_folder, provenance: null }).toEqual({ ...made, provenance: null });
      }
    });
  }

  test("a folder in one file; its label is in the README; bytes are those of its files", async () => {
    const output = pathOf("one-file");
    mkdirSync(output);
    const made = await makeModel(options({ output, form: "huggingface", embedding: "bf16" }));
    const files = readdirSync(output);
    expect(files.sort()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(made.bytes).toBe(files.reduce((sum, file) => sum + readFileSync(`${output}/${file}`).length, 0));
    expect(readFileSync(`${output}/README.md`, "utf8")).toContain("random weights (llama-3.2-1b, seed 1)");
  });

  test("published file sizes are met with an f16 embedding (arXiv 2601.07892, speed and size table)", async () => {
    const sizes = new Map<string, number | null>();
    for (const name of ["bitnet-0.7b", "bitnet-3b"]) {
      const shape = chooseShape(name, {}, true);
      const made = await makeModel(options({ shape, scale: parseScaleReach("tensor") }));
      expect(made.bytes).toBeLessThanOrEqual(made.published_file_bytes ?? 0);
      expect((made.roles.linear.bytes * 8) / made.roles.linear.weights).toBeWithin(1.25, 1.2501);
      sizes.set(name, made.published_file_bytes);
    }
    expect([...sizes]).toEqual([
      ["bitnet-0.7b", 205_500_000],
      ["bitnet-3b", 712_400_000],
    ]);
  });

  test("linear weights of the named shapes", async () => {
    const millions: Record<string, number> = {};
    for (const { name } of MODEL_SHAPES) {
      const made = await makeModel(options({ shape: chooseShape(name, {}, true) }));
      millions[name] = Math.round(made.roles.linear.weights / 1e6);
    }
    expect(millions).toEqual({
      "llama-3.2-1b": 973,
      "llama-3.2-3b": 2_819,
      "bitnet-0.7b": 679,
      "bitnet-3b": 3_222,
      "hy-mt-1.8b": 1_544,
      "qwen3-1.7b": 1_409,
    });
  });

  test("an interrupt leaves nothing behind, file or folder", async () => {
    const shape = chooseShape("llama", { ...SMALL, vocab_size: 300_000 }, true);
    for (const form of ["sherry", "huggingface"] as const) {
      const controller = new AbortController();
      const output = pathOf(`interrupted-${form}`);
      const on_progress = () => controller.abort(new Error("enough"));
      const embedding = form === "sherry" ? "f16" : "bf16";
      const work = makeModel(
        options({ shape, output, form, embedding, on_progress, signal: controller.signal }),
      );
      expect(await codeOf(work)).toBe("Error: enough");
      expect(readdirSync(pathOf("")).filter((name) => name.startsWith("interrupted"))).toEqual([]);
    }
  });

  test("what does not go together is refused", async () => {
    expect(await codeOf(makeModel(options({ head: "q8" })))).toBe(
      "argument_invalid: head: expected nothing: this model's head is its embedding, received q8. Choose the kind with --embedding, or give the model a head of its own with --untied",
    );
    expect(await codeOf(makeModel(options({ form: "huggingface" })))).toBe(
      "argument_invalid: embedding and head of a Hugging Face folder: expected bf16, received f16. Leave the kinds to sherry-pack, which stores the folder's tensors",
    );
    const taken = pathOf("taken");
    mkdirSync(taken);
    writeFileSync(`${taken}/mine.txt`, "mine");
    const folder = { form: "huggingface", embedding: "bf16" } as const;
    expect(await codeOf(makeModel(options({ ...folder, output: taken })))).toBe(
      `file_unwritable: ${taken}: expected a folder that is not there yet, or is empty, received a folder with files in it. Choose another folder, or remove this one`,
    );
    expect(existsSync(`${taken}/mine.txt`)).toBe(true);
    expect(await codeOf(makeModel(options({ ...folder, output: pathOf("no/such/place") })))).toStartWith(
      `file_unwritable: ${pathOf("no/such/place")}: expected a place where a folder can be written, received ENOENT`,
    );
    expect(await codeOf(makeModel(options({ output: pathOf("no/such/place") })))).toStartWith(
      "file_unwritable: ",
    );
  });
});
