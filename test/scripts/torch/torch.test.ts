/**
 * The PyTorch module: its own tests, and a run of two processes under torchrun whose model the packer takes without
 * loss and the runtime runs. Skipped where PyTorch is not installed.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "../../../src/index.ts";
import { packCheckpoint } from "../../../src/packing/packer.ts";
import {
  BEGIN_TOKEN,
  BYTE_VOCABULARY_SIZE,
  byteTokenizerConfig,
  byteTokenizerJson,
  END_TOKEN,
} from "../../../src/packing/synthetic/byte-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { hasTorch, runPython } from "./python.ts";

const ROOT = join(import.meta.dir, "..", "..", "..");
const TIMEOUT_MS = 240_000;
const LAYERS = 2;

const at = temporaryFolder();
const with_torch = test.skipIf(!hasTorch());

with_torch(
  "the module's own tests pass",
  async () => {
    const { exit_code, output } = await runPython(ROOT, [
      "-m",
      "unittest",
      "discover",
      "-s",
      "scripts/torch/tests",
    ]);
    expect(exit_code, output).toBe(0);
    expect(Number(/Ran (\d+) tests/.exec(output)?.[1])).toBeGreaterThan(30);
  },
  TIMEOUT_MS,
);

/** A llama's shape with a byte-level tokenizer, without weights. */
function writeShape(folder: string): void {
  mkdirSync(folder);
  const writeJson = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(value));
  writeJson("config.json", {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: LAYERS,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 128,
    tie_word_embeddings: true,
    vocab_size: BYTE_VOCABULARY_SIZE,
    bos_token_id: BEGIN_TOKEN.id,
    eos_token_id: END_TOKEN.id,
  });
  writeJson("tokenizer.json", byteTokenizerJson());
  writeJson("tokenizer_config.json", {
    ...byteTokenizerConfig(128),
    tokenizer_class: "PreTrainedTokenizerFast",
    eos_token: END_TOKEN.content,
  });
}

for (const [reach, dtype] of [
  ["group", "float32"],
  ["channel", "bfloat16"],
] as const) {
  with_torch(
    `two processes train a model that packs without loss (scales by ${reach}, ${dtype})`,
    async () => {
      const shape = at(`shape-${reach}`);
      const run = at(`run-${reach}`);
      writeShape(shape);
      const text = at("text.txt");
      writeFileSync(text, "Once upon a time there was a cat. It sat on a mat.\n".repeat(200));
      const settings = {
        model: shape,
        random_weights: "True",
        train_files: text,
        separator: "",
        sequence_length: "64",
        granularity: reach,
        group_columns: "32",
        export_dtype: dtype,
        output_dir: run,
        use_cpu: "True",
        ddp_backend: "gloo",
        max_steps: "3",
        logging_steps: "1",
        save_strategy: "no",
      };
      const options = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
      const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"];
      const { exit_code, output } = await runPython(ROOT, [
        ...torchrun,
        "scripts/torch/train.py",
        ...options,
      ]);
      expect(exit_code, output).toBe(0);
      const file = at(`${reach}.sherry`);
      const summary = await packCheckpoint({
        input: join(run, "model"),
        output: file,
        linear: "sherry",
        embedding: "f16",
        head: null,
        scale: "auto",
        label: null,
      });
      expect(summary.linear_tensors).toBe(7 * LAYERS);
      expect(summary.on_grid_tensors).toBe(7 * LAYERS);
      const model = await loadModel(file);
      try {
        let pieces = 0;
        for await (const _ of model.generate("Once", { max_tokens: 8, temperature: 0 })) pieces += 1;
        expect(pieces).toBeGreaterThan(0);
      } finally {
        await model.close();
      }
    },
    TIMEOUT_MS,
  );
}
