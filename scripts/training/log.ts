/**
 * A run's log: one JSON object a line, appended as things happen. docs/training.md describes the lines. On resuming, the
 * lines that came after the checkpoint are cut off, so that every step stands in it once.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { SherryError } from "../../src/errors.ts";
import type { Method } from "./config-schema.ts";

export const LOG_VERSION = 1;

export interface Histogram {
  /** The first bin's lower and the last bin's upper end. */
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

export interface LayerDiagnostics {
  readonly name: string;
  /** Of dL/dX of this linear layer over the sampled tokens. */
  readonly effective_rank: number;
  /** The most that it can be: the number of sampled tokens or of columns. */
  readonly effective_rank_max: number;
  /** Share of blocks of four whose zero moved since the last look; null at the first look and for other methods. */
  readonly zero_moved_fraction: number | null;
  /** Of the latent weights. */
  readonly histogram: Histogram;
}

export type LogLine =
  | {
      readonly kind: "start";
      readonly version: typeof LOG_VERSION;
      readonly name: string;
      readonly method: Method;
      readonly arenas: boolean;
      readonly schedule: string | null;
      readonly granularity: string;
      readonly group_columns: number;
      readonly seed: number;
      readonly parameters: number;
      readonly quantized_parameters: number;
      readonly bits_per_weight: number;
      readonly tokens_per_step: number;
      readonly steps: number;
      readonly thread_count: number;
    }
  | {
      readonly kind: "step";
      readonly step: number;
      readonly tokens: number;
      readonly loss: number;
      readonly learning_rate: number;
      readonly lambda: number;
      readonly gradient_norm: number;
      readonly tokens_per_second: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "evaluation";
      readonly step: number;
      readonly loss: number;
      readonly perplexity: number;
      readonly tokens: number;
      readonly lambda: number;
    }
  | {
      readonly kind: "diagnostics";
      readonly step: number;
      readonly lambda: number;
      readonly layers: readonly LayerDiagnostics[];
    }
  | { readonly kind: "sample"; readonly step: number; readonly prompt: string; readonly text: string }
  | FinishLine;

export interface FinishLine {
  readonly kind: "finish";
  readonly step: number;
  readonly loss: number;
  readonly perplexity: number;
  readonly seconds: number;
  readonly tokens_per_second: number;
  readonly runtime_perplexity: number | null;
}

export class RunLog {
  readonly #path: string;
  #descriptor: number | null;

  /** @param keep_bytes lines up to there stay. @throws SherryError file_unwritable */
  constructor(path: string, keep_bytes: number) {
    this.#path = path;
    this.#descriptor = this.#attempt(() => {
      const descriptor = openSync(path, "a");
      ftruncateSync(descriptor, Math.min(keep_bytes, fstatSync(descriptor).size));
      return descriptor;
    });
  }

  get bytes(): number {
    return fstatSync(this.#open()).size;
  }

  add(line: LogLine): void {
    const descriptor = this.#open();
    this.#attempt(() => writeSync(descriptor, `${JSON.stringify(line)}\n`));
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #open(): number {
    if (this.#descriptor === null) throw new SherryError("closed", `writing ${this.#path}`);
    return this.#descriptor;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new SherryError("file_unwritable", this.#path, {
        expected: "a place where the log can be written",
        received: cause instanceof Error ? cause.message : String(cause),
        next_step: "Check permissions and the free space",
        cause,
      });
    }
  }
}

/** The lines of a log; a last line that was cut off by a crash is left out. */
export function readLog(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.filter((line) => line !== "").map((line): LogLine => JSON.parse(line));
}
