/**
 * Times whole training steps of a run's configuration, and how much of them is matrix products: steps as the trainer
 * makes them, on the run's data, of which nothing is kept. The product's kernels are timed by wrappers around their
 * methods, so what is left is everything else, JavaScript included.
 */
import { statisticsOf } from "../../src/bench/statistics.ts";
import type { LinearShape } from "../../src/native/training-block.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import type { Session } from "./session.ts";
import { trainStep } from "./training-step.ts";

export interface StepBench {
  readonly threads: number;
  readonly tokens: number;
  /** Of one step, the median. */
  readonly step_ms: number;
  readonly tokens_per_s: number;
  /** Of the median step's products. */
  readonly product_ms: number;
  readonly product_gflops: number;
  /** product_ms / step_ms: the whole step's speed as a share of the products'. */
  readonly product_share: number;
}

interface ProductMeter {
  time_ns: number;
  operations: number;
}

/** Makes every product of `kernels` add to `meter`, for as long as these kernels are in use. */
function meterProducts(kernels: TrainingKernels, meter: ProductMeter): void {
  const timed = (shape: LinearShape, run: () => void) => {
    const start = Bun.nanoseconds();
    run();
    meter.time_ns += Bun.nanoseconds() - start;
    meter.operations += 2 * shape.tokens * shape.out_features * shape.in_features;
  };
  const forward = kernels.linearForward.bind(kernels);
  const backwardInput = kernels.linearBackwardInput.bind(kernels);
  const backwardWeight = kernels.linearBackwardWeight.bind(kernels);
  kernels.linearForward = (y, x, w, shape) => timed(shape, () => forward(y, x, w, shape));
  kernels.linearBackwardInput = (dx, dy, w, shape, accumulate) =>
    timed(shape, () => backwardInput(dx, dy, w, shape, accumulate));
  kernels.linearBackwardWeight = (dw, dy, x, shape, scale) =>
    timed(shape, () => backwardWeight(dw, dy, x, shape, scale));
}

/** The first `steps` steps of a session, after one that is not counted. The session is not to be trained further. */
export function benchSteps(session: Session, steps: number): StepBench {
  const { kernels, config, activations } = session;
  const meter: ProductMeter = { time_ns: 0, operations: 0 };
  meterProducts(kernels, meter);
  trainStep(session, 0, null);
  const samples: { step_ns: number; product_ns: number }[] = [];
  for (let step = 0; step < steps; step += 1) {
    meter.time_ns = 0;
    meter.operations = 0;
    const start = Bun.nanoseconds();
    trainStep(session, 0, null);
    samples.push({ step_ns: Bun.nanoseconds() - start, product_ns: meter.time_ns });
  }
  const step_ns = statisticsOf(samples.map((sample) => sample.step_ns)).median;
  const product_ns = statisticsOf(samples.map((sample) => sample.product_ns)).median;
  const tokens = activations.tokens * config.batch.accumulation;
  return {
    threads: kernels.thread_count,
    tokens,
    step_ms: step_ns / 1e6,
    tokens_per_s: (tokens * 1e9) / step_ns,
    product_ms: product_ns / 1e6,
    product_gflops: meter.operations / product_ns,
    product_share: product_ns / step_ns,
  };
}
