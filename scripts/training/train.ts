/**
 * A whole training run: steps with evaluations, diagnostics, samples and checkpoints at their intervals, then the export
 * and its evaluation by the runtime. A run that was interrupted at any moment goes on from its last checkpoint and ends
 * with the same weights, bit for bit.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { CHECKPOINT_PATH, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { meanEffectiveRank } from "./diagnostics.ts";
import { evaluate } from "./evaluation.ts";
import { exportModel, settleWeights } from "./export.ts";
import { type FinishLine, type LayerDiagnostics, LOG_VERSION, type LogLine, RunLog, readLog } from "./log.ts";
import { linearShapes } from "./parameters.ts";
import { bitsPerWeight } from "./quantized-layers.ts";
import { HELD_OUT_FILE, LOG_FILE, MODEL_FOLDER, openRunFolder, runFolder } from "./run-folder.ts";
import { evaluateExport } from "./runtime-evaluation.ts";
import { arenasLambda } from "./schedules.ts";
import { type Notify, openSession, type Session } from "./session.ts";
import { type StepResult, trainStep } from "./training-step.ts";

export interface TrainOptions {
  readonly config: TrainingConfig;
  readonly resume: boolean;
  readonly notify?: Notify;
  readonly on_step?: (progress: StepProgress) => void;
  /** Stops after the running step, with a checkpoint; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface StepProgress extends StepResult {
  /** Steps that are done. */
  readonly step: number;
  readonly steps: number;
  readonly tokens_per_second: number;
  readonly seconds_left: number;
}

export interface TrainResult extends Omit<FinishLine, "kind"> {
  readonly folder: string;
  readonly parameters: number;
  readonly bits_per_weight: number;
  /** The mean over layers and looks of the effective rank of dL/dX; null without a look. */
  readonly effective_rank: number | null;
}

/** @throws SherryError argument_invalid, numbers_not_finite, file_*, checkpoint_*, out_of_memory; the signal's reason */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config, resume, notify = () => {} } = options;
  const folder = runFolder(config);
  openRunFolder(folder, config, resume);
  const finished = resume ? finishedResult(folder) : null;
  if (finished !== null) return finished;
  const session = openSession(config, folder, notify);
  try {
    const state = readCheckpoint(folder, session.parameters);
    if (state !== null) session.data.restore(state.data);
    writeFileSync(join(folder, HELD_OUT_FILE), session.data.held_out_text);
    const log = new RunLog(join(folder, LOG_FILE), state?.log_bytes ?? 0);
    try {
      const run = new Run(session, log, folder, state?.step ?? 0, state?.seconds ?? 0);
      if (state === null) log.add(startLine(session));
      else notify(`Going on after step ${state.step} of ${config.steps} (${CHECKPOINT_PATH})`);
      await run.steps(options);
      return await run.finish(notify);
    } finally {
      log.close();
    }
  } finally {
    session.close();
  }
}

/** A run that has ended is not run again: its log has the result. */
function finishedResult(folder: string): TrainResult | null {
  const lines = readLog(join(folder, LOG_FILE));
  const finish = lines.find((line): line is FinishLine => line.kind === "finish");
  return finish === undefined ? null : resultOf(folder, finish, lines);
}

function resultOf(
  folder: string,
  { kind: _, ...finish }: FinishLine,
  lines: readonly LogLine[],
): TrainResult {
  const start = lines.find((line) => line.kind === "start");
  if (start === undefined)
    throw new SherryError("checkpoint_invalid", join(folder, LOG_FILE), {
      expected: "a line that starts the run",
      received: "none",
    });
  const layers = lines.flatMap((line) => (line.kind === "diagnostics" ? line.layers : []));
  return {
    ...{ ...finish, folder },
    parameters: start.parameters,
    bits_per_weight: start.bits_per_weight,
    effective_rank: layers.length === 0 ? null : meanEffectiveRank(layers),
  };
}

function startLine({ config, kernels, model, parameters }: Session): LogLine {
  const { name, quantization, seed, batch, steps } = config;
  const { method, arenas, granularity, group_columns } = quantization;
  const linear = parameters.linear.reduce((sum, { count }) => sum + count, 0);
  return {
    kind: "start",
    version: LOG_VERSION,
    ...{ name, method, granularity, group_columns, seed, steps },
    arenas: arenas !== null,
    schedule: arenas?.schedule ?? null,
    parameters: parameters.count,
    quantized_parameters: method === "none" ? 0 : linear,
    bits_per_weight: bitsPerWeight(linearShapes(model.config), quantization),
    tokens_per_step: batch.sequences * batch.sequence_tokens * batch.accumulation,
    thread_count: kernels.thread_count,
  };
}

class Run {
  readonly #session: Session;
  readonly #log: RunLog;
  readonly #folder: string;
  #step: number;
  /** Of training, without evaluations and the like. */
  #seconds: number;

  constructor(session: Session, log: RunLog, folder: string, step: number, seconds: number) {
    this.#session = session;
    this.#log = log;
    this.#folder = folder;
    this.#step = step;
    this.#seconds = seconds;
  }

  async steps({ signal, on_step }: TrainOptions): Promise<void> {
    const { config } = this.#session;
    const { steps, batch, evaluation, diagnostics, checkpoint, samples } = config;
    const tokens_per_step = batch.sequences * batch.sequence_tokens * batch.accumulation;
    while (this.#step < steps) {
      const step = this.#step + 1;
      const looks = isDue(step, diagnostics.interval_steps, steps);
      const started = performance.now();
      const result = trainStep(this.#session, this.#step, looks ? this.#session.diagnostics.observe : null);
      const seconds = (performance.now() - started) / 1000;
      this.#step = step;
      this.#seconds += seconds;
      const tokens_per_second = tokens_per_step / seconds;
      this.#log.add({
        ...{ kind: "step", step, tokens: step * tokens_per_step, ...result, tokens_per_second },
        seconds: this.#seconds,
      });
      on_step?.({
        ...{ ...result, step, steps, tokens_per_second },
        seconds_left: (this.#seconds / step) * (steps - step),
      });
      if (looks) this.#addDiagnostics(result.lambda);
      if (isDue(step, evaluation.interval_steps, steps) && step < steps) this.#addEvaluation();
      if (isDue(step, samples.interval_steps, steps)) this.#addSamples();
      if (isDue(step, checkpoint.interval_steps, steps)) this.#save();
      // Signals get their turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted === true) {
        this.#save();
        signal.throwIfAborted();
      }
    }
  }

  async finish(notify: Notify): Promise<TrainResult> {
    const { config, kernels, model, parameters, tokenizer, data } = this.#session;
    settleWeights(parameters, config.quantization);
    const { loss, perplexity, tokens } = this.#evaluate();
    this.#log.add({ kind: "evaluation", step: this.#step, loss, perplexity, tokens, lambda: 0 });
    const model_folder = join(this.#folder, MODEL_FOLDER);
    exportModel(model_folder, parameters, model, tokenizer);
    notify(`Wrote ${model_folder}; its perplexity through the runtime follows`);
    const runtime = await evaluateExport(model_folder, data.held_out_text, {
      method: config.quantization.method,
      sequence_tokens: config.batch.sequence_tokens,
      max_tokens: config.evaluation.tokens,
      thread_count: kernels.thread_count,
    });
    if (runtime.tokens !== tokens) {
      throw new SherryError("internal", "the runtime's evaluation", {
        expected: `${tokens} tokens, as in training`,
        received: String(runtime.tokens),
      });
    }
    const { sequences, sequence_tokens, accumulation } = config.batch;
    const finish: FinishLine = {
      ...{ kind: "finish", step: this.#step, loss, perplexity, seconds: this.#seconds },
      tokens_per_second: (sequences * sequence_tokens * accumulation * this.#step) / this.#seconds,
      runtime_perplexity: runtime.perplexity,
    };
    this.#log.add(finish);
    return resultOf(this.#folder, finish, readLog(join(this.#folder, LOG_FILE)));
  }

  #addDiagnostics(lambda: number): void {
    const layers: LayerDiagnostics[] = this.#session.diagnostics.report();
    this.#log.add({ kind: "diagnostics", step: this.#step, lambda, layers });
  }

  #addEvaluation(): void {
    const lambda = this.#quantizeAsTrained();
    const { loss, perplexity, tokens } = this.#evaluate();
    this.#log.add({ kind: "evaluation", step: this.#step, loss, perplexity, tokens, lambda });
  }

  #addSamples(): void {
    this.#quantizeAsTrained();
    const { samples, parameters } = this.#session;
    for (const { prompt, text } of samples.write(parameters.effective)) {
      this.#log.add({ kind: "sample", step: this.#step, prompt, text });
    }
  }

  /** The effective weights of the updated parameters, with lambda as the last step had it. */
  #quantizeAsTrained(): number {
    const { config, parameters } = this.#session;
    const lambda = arenasLambda(this.#step - 1, config.steps, config.quantization.arenas);
    parameters.quantize(lambda);
    return lambda;
  }

  #evaluate() {
    const { kernels, model, parameters, activations, held_out_ids } = this.#session;
    return evaluate(kernels, model.config, parameters.effective, activations, held_out_ids);
  }

  #save(): void {
    writeCheckpoint(this.#folder, this.#session.parameters, {
      step: this.#step,
      seconds: this.#seconds,
      log_bytes: this.#log.bytes,
      data: { ...this.#session.data.position, pending: [...this.#session.data.position.pending] },
    });
  }
}

/** At every interval and at the end; an interval of 0 is never. */
function isDue(step: number, interval: number, steps: number): boolean {
  return interval > 0 && (step % interval === 0 || step === steps);
}
