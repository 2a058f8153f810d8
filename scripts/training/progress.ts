/**
 * What a training says while it goes on: a bar on a terminal, and where there is none (a log file, a service) a line
 * every half minute.
 */
import { progressBar } from "../../src/cli/progress-bar.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import type { StepProgress } from "./train.ts";

const LINE_INTERVAL_MS = 30_000;
/** Weight of the newest step in the speed that is shown. */
const SMOOTHING = 0.05;

export interface TrainingProgress {
  notify(message: string): void;
  step(progress: StepProgress): void;
  end(): void;
}

/** @param columns how wide the terminal is; null when there is none. @param prefix stands before every line */
export function trainingProgress(
  terminal: Pick<Terminal, "writeError">,
  columns: number | null,
  prefix = "",
): TrainingProgress {
  const bar = progressBar(terminal, columns);
  let loss: number | null = null;
  let last_line_ms = Number.NEGATIVE_INFINITY;
  return {
    notify(message) {
      bar.clear();
      terminal.writeError(`${prefix}${message}\n`);
    },
    step(progress) {
      loss = loss === null ? progress.loss : loss + SMOOTHING * (progress.loss - loss);
      const text = `${prefix}${describe(progress, loss)}`;
      if (columns !== null) {
        bar.draw(progress.step / progress.steps, text);
        return;
      }
      const now = performance.now();
      if (now - last_line_ms < LINE_INTERVAL_MS && progress.step < progress.steps) return;
      last_line_ms = now;
      terminal.writeError(`${text}\n`);
    },
    end: () => bar.clear(),
  };
}

function describe(progress: StepProgress, loss: number): string {
  const { step, steps, tokens_per_second, lambda, seconds_left } = progress;
  const speed = `${tokens_per_second.toFixed(0)} tokens/s`;
  return `step ${step} of ${steps}  loss ${loss.toFixed(3)}  lambda ${lambda.toFixed(2)}  ${speed}  ${duration(seconds_left)} left`;
}

/** "1 h 05 min", "4 min 10 s", "12 s" */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole >= 3_600) return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}
