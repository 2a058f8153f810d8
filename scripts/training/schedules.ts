/**
 * How lambda (the weight of the Arenas residual) and the learning rate run over a training. Both depend on the step and
 * the number of steps alone, so a resumed run needs no state of them.
 * Source of lambda: "Sherry" (arXiv 2601.07892) and its published training code: it rises linearly from 0 to 1 over the
 * first 10 % of the steps and falls by a cosine to 0. The final phase in which it is exactly 0 is ours: the weights settle
 * as they are exported.
 */
import type { ArenasConfig, LearningRateConfig } from "./config-schema.ts";

/** Where the exponential schedule stands at its end, before it is set to exactly 0. */
const EXPONENTIAL_END = 0.01;

/**
 * @param step 0 .. steps - 1
 * @returns lambda of that step, 0 to 1; exactly 0 without Arenas, in the final phase and in the last step
 */
export function arenasLambda(step: number, steps: number, arenas: ArenasConfig | null): number {
  if (arenas === null) return 0;
  const warmup_steps = Math.round(steps * arenas.warmup_fraction);
  const final_steps = Math.max(1, Math.round(steps * arenas.final_phase_fraction));
  const decay_steps = steps - final_steps - warmup_steps;
  if (step >= steps - final_steps) return 0;
  if (step < warmup_steps) return step / warmup_steps;
  const progress = (step - warmup_steps) / Math.max(1, decay_steps);
  switch (arenas.schedule) {
    case "cosine":
      return (1 + Math.cos(Math.PI * progress)) / 2;
    case "linear":
      return 1 - progress;
    case "exponential":
      return EXPONENTIAL_END ** progress;
  }
}

/** Linear warm-up, then as the schedule says down to `final_fraction` of the peak. */
export function learningRate(step: number, steps: number, config: LearningRateConfig): number {
  const { peak, warmup_steps, schedule, final_fraction } = config;
  if (step < warmup_steps) return (peak * (step + 1)) / warmup_steps;
  const progress = (step - warmup_steps) / Math.max(1, steps - 1 - warmup_steps);
  const low = peak * final_fraction;
  switch (schedule) {
    case "constant":
      return peak;
    case "linear":
      return peak + (low - peak) * progress;
    case "cosine":
      return low + ((peak - low) * (1 + Math.cos(Math.PI * progress))) / 2;
  }
}
