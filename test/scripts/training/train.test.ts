/**
 * Whole runs of a tiny model: the same seed gives the same bits whatever the threads, a run that was stopped or killed
 * goes on to the same bits, and the exported model is what the trainer evaluated.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKPOINT_PATH } from "../../../scripts/training/checkpoint.ts";
import type { TrainingConfig } from "../../../scripts/training/config-schema.ts";
import { type LogLine, readLog } from "../../../scripts/training/log.ts";
import { train } from "../../../scripts/training/train.ts";
import { packCheckpoint } from "../../../src/packing/packer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyRun } from "./tiny-run.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();
/** One trained tokenizer for all runs: a run whose folder has one takes it. */
let tokenizer_folder: string | null = null;

function prepare(config: TrainingConfig): TrainingConfig {
  const folder = config.output ?? "";
  if (tokenizer_folder === null) return config;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  cpSync(tokenizer_folder, join(folder, "tokenizer"), { recursive: true });
  return config;
}

async function run(name: string, settings: Readonly<Record<string, unknown>> = {}) {
  const result = await train({
    config: prepare(tinyRun(at(name), settings)),
    resume: tokenizer_folder !== null,
  });
  tokenizer_folder ??= join(result.folder, "tokenizer");
  return result;
}

const weightsOf = (folder: string) => readFileSync(join(folder, "model/model.safetensors"));
const stepsOf = (folder: string) => readLog(join(folder, "log.jsonl")).filter((line) => line.kind === "step");

describe("a run", () => {
  test("writes its folder, and its log tells all", async () => {
    const result = await run("first");
    const lines = readLog(join(result.folder, "log.jsonl"));
    const kinds = (kind: LogLine["kind"]) => lines.filter((line) => line.kind === kind).length;
    expect([kinds("start"), kinds("step"), kinds("evaluation"), kinds("diagnostics")]).toEqual([1, 40, 2, 2]);
    expect(kinds("finish")).toBe(1);
    expect(lines[0]).toMatchObject({
      kind: "start",
      version: 1,
      method: "sherry",
      arenas: true,
      bits_per_weight: 1.75,
    });
    for (const name of [
      "config.json",
      "held-out.txt",
      CHECKPOINT_PATH,
      "model/config.json",
      "model/tokenizer.json",
    ]) {
      expect(existsSync(join(result.folder, name)), name).toBe(true);
    }
    const looks = lines.flatMap((line) => (line.kind === "diagnostics" ? [line.layers] : []));
    expect(looks.map((layers) => layers.length)).toEqual([14, 14]);
    for (const layer of looks.flat()) {
      expect(layer.effective_rank).toBeGreaterThanOrEqual(1);
      expect(layer.effective_rank).toBeLessThanOrEqual(layer.effective_rank_max);
      expect(layer.histogram.counts).toHaveLength(8);
    }
    // Nothing to compare with at the first look.
    expect(looks[0]?.every((layer) => layer.zero_moved_fraction === null)).toBe(true);
    expect(looks[1]?.every((layer) => Number(layer.zero_moved_fraction) > 0)).toBe(true);
  });

  test("learns", () => {
    const steps = stepsOf(at("first"));
    const loss = (index: number) => Number(Object(steps.at(index)).loss);
    expect(loss(0)).toBeGreaterThan(5.5);
    expect(loss(-1)).toBeLessThan(loss(0) - 0.7);
  });

  test("gives the same weights with another number of threads", async () => {
    const other = await run("one-thread", { threads: 1 });
    expect(weightsOf(other.folder).equals(weightsOf(at("first")))).toBe(true);
  });

  test("gives other weights with another seed", async () => {
    const other = await run("seed", { seed: 2 });
    expect(weightsOf(other.folder).equals(weightsOf(at("first")))).toBe(false);
  });
});

describe("an export", () => {
  test("is recognised by the packer, every linear layer without loss", async () => {
    const packed = await packCheckpoint({
      ...{ input: join(at("first"), "model"), output: null, linear: "sherry", embedding: "f16", head: null },
      ...{ scale: "auto", label: null },
    });
    expect([packed.linear_tensors, packed.on_grid_tensors, packed.projected_tensors]).toEqual([14, 14, 0]);
    const linear = packed.tensors.filter(({ role }) => role === "linear");
    for (const { scale, error_max } of linear) {
      expect(scale).toEqual({
        granularity: expect.stringMatching(/group|channel/),
        group_columns: expect.any(Number),
        element: expect.any(String),
      });
      expect(error_max).toBe(0);
    }
  });

  test.each([
    ["sherry", "tensor"],
    ["sherry", "channel"],
    ["absmean", "group"],
    ["twn", "channel"],
    ["binary", "tensor"],
    ["none", "group"],
  ])(
    "of %s per %s has the perplexity of the trainer's evaluation through the runtime",
    async (method, granularity) => {
      const quantization = { method, granularity, group_columns: 32 };
      const result = await run(`${method}-${granularity}`, { quantization, steps: 12 });
      // int8 activations on the runtime's side of sherry, an f16 embedding and f16 keys and values: half a percent.
      expect(Math.abs(Number(result.runtime_perplexity) / result.perplexity - 1)).toBeLessThan(0.005);
    },
  );
});

describe("going on", () => {
  test("after an interrupt gives the uninterrupted run's weights and log", async () => {
    const config = prepare(tinyRun(at("stopped")));
    const controller = new AbortController();
    const stopped = train({
      config,
      resume: true,
      signal: controller.signal,
      on_step: ({ step }) => {
        if (step === 17) controller.abort(new Error("stopped"));
      },
    });
    await expect(stopped).rejects.toThrow("stopped");
    await train({ config: { ...config, threads: 1 }, resume: true });
    expect(weightsOf(at("stopped")).equals(weightsOf(at("first")))).toBe(true);
    const losses = (name: string) => stepsOf(at(name)).map((line) => Object(line).loss);
    expect(losses("stopped")).toEqual(losses("first"));
  });

  test("after a kill takes the last checkpoint and cuts the log off behind it", async () => {
    const config = prepare(tinyRun(at("killed")));
    const script = `
      import { train } from ${JSON.stringify(join(import.meta.dir, "../../../scripts/training/train.ts"))};
      const config = JSON.parse(process.argv[1]);
      await train({ config, resume: true, on_step: ({ step }) => { if (step === 25) process.kill(process.pid, "SIGKILL"); } });`;
    const process_killed = Bun.spawnSync({ cmd: [process.execPath, "-e", script, JSON.stringify(config)] });
    expect(process_killed.signalCode).toBe("SIGKILL");
    expect(stepsOf(at("killed"))).toHaveLength(25);
    // What a kill in the middle of writing leaves behind.
    copyFileSync(
      join(at("killed"), CHECKPOINT_PATH),
      `${join(at("killed"), CHECKPOINT_PATH)}.999999999.partial`,
    );
    await train({ config, resume: true });
    expect(stepsOf(at("killed")).map((line) => Object(line).step)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    expect(weightsOf(at("killed")).equals(weightsOf(at("first")))).toBe(true);
  });

  test("with a finished run gives its result and trains nothing", async () => {
    const steps: number[] = [];
    const config = tinyRun(at("first"));
    const again = await train({ config, resume: true, on_step: ({ step }) => steps.push(step) });
    expect(steps).toEqual([]);
    expect(again.step).toBe(40);
  });
});

describe("a run is refused", () => {
  test("in a folder with a run in it, without --resume", async () => {
    await expect(train({ config: tinyRun(at("first")), resume: false })).rejects.toThrow(
      `output ${at("first")}: expected a folder that is not there yet, or is empty, received one with a run. Add --resume`,
    );
  });

  test("in a folder with other files", async () => {
    mkdirSync(at("mine"));
    writeFileSync(join(at("mine"), "thesis.txt"), "");
    await expect(train({ config: tinyRun(at("mine")), resume: true })).rejects.toThrow(
      "received one with other files",
    );
  });

  test("in a folder of another configuration, naming the setting", async () => {
    const config = tinyRun(at("first"), { learning_rate: { peak: 0.1 } });
    await expect(train({ config, resume: true })).rejects.toThrow(
      "learning_rate.peak: expected 0.004, as the run in",
    );
  });

  test("for groups that do not divide a layer, naming it", async () => {
    const quantization = { method: "sherry", granularity: "group", group_columns: 64 };
    await expect(
      train({ config: prepare(tinyRun(at("groups"), { quantization })), resume: true }),
    ).rejects.toThrow(
      "quantization.group_columns: expected a divisor of in_features of model.layers.0.self_attn.q_proj.weight (32), received 64",
    );
  });

  test("for sequences beyond the model's positions", async () => {
    const batch = { sequence_tokens: 65, sequences: 1 };
    await expect(train({ config: prepare(tinyRun(at("long"), { batch })), resume: true })).rejects.toThrow(
      "batch.sequence_tokens: expected at most the model's max_position_embeddings (64), received 65",
    );
  });

  test("for a checkpoint that is damaged", async () => {
    cpSync(at("killed"), at("damaged"), { recursive: true });
    rmSync(join(at("damaged"), "log.jsonl"));
    const path = join(at("damaged"), CHECKPOINT_PATH);
    writeFileSync(path, readFileSync(path).subarray(0, 5_000));
    const config = tinyRun(at("damaged"));
    await expect(train({ config, resume: true })).rejects.toThrow("The file is damaged");
  });
});

describe("numbers that are not finite", () => {
  test("end the run with the step and the place named", async () => {
    const config = prepare(
      tinyRun(at("diverged"), {
        quantization: { method: "none" },
        learning_rate: { peak: 1, schedule: "constant" },
        optimizer: { gradient_norm_max: null, weight_decay: 10, epsilon: 1e-15 },
        steps: 4_000,
        ...{ evaluation: { interval_steps: 0, tokens: 64 }, diagnostics: { interval_steps: 0 } },
      }),
    );
    const message = await train({ config, resume: true }).then(
      () => "it ended well",
      (error: Error) => error.message,
    );
    expect(message).toMatch(/^step \d+: the (loss|gradient of [a-z_.0-9]+): expected/);
  });
});
