/**
 * One step of training: gradients of as many batches as are accumulated, one update. Loss is the mean over the step's
 * tokens. Numbers that are not finite end the run, with the step and the layer named.
 */
import { SherryError } from "../../src/errors.ts";
import { backward, type ObserveLinear } from "./backward.ts";
import { forward } from "./forward.ts";
import { gradientNorm, updateParameters } from "./optimizer.ts";
import { arenasLambda, learningRate } from "./schedules.ts";
import type { Session } from "./session.ts";

export interface StepResult {
  /** Mean over the step's tokens, in nats; with a teacher the weighted sum of both terms. */
  readonly loss: number;
  readonly gradient_norm: number;
  readonly learning_rate: number;
  readonly lambda: number;
}

/**
 * @param step 0 .. steps - 1; messages count from 1
 * @param observe looks at the last batch's gradients
 * @throws SherryError numbers_not_finite
 */
export function trainStep(session: Session, step: number, observe: ObserveLinear | null): StepResult {
  const { config, kernels, parameters } = session;
  const { accumulation } = config.batch;
  const lambda = arenasLambda(step, config.steps, config.quantization.arenas);
  const learning_rate = learningRate(step, config.steps, config.learning_rate);
  parameters.quantize(lambda);
  parameters.clearGradients();
  let loss = 0;
  for (let batch = 0; batch < accumulation; batch += 1) {
    const is_last = batch === accumulation - 1;
    loss += accumulateBatch(session, lambda, is_last ? observe : null) / accumulation;
    if (!Number.isFinite(loss)) throw lossNotFinite(session, step + 1, loss);
  }
  const gradient_norm = gradientNorm(kernels, parameters, step + 1);
  updateParameters(kernels, parameters, config.optimizer, { step: step + 1, learning_rate, gradient_norm });
  return { loss, gradient_norm, learning_rate, lambda };
}

/** Adds one batch's gradients. @returns its mean loss */
function accumulateBatch(session: Session, lambda: number, observe: ObserveLinear | null): number {
  const { config, kernels, model, parameters, data, activations, scratch, logit_gradient, teacher } = session;
  const { tokens, shapes, ids, targets, logits, losses } = activations;
  data.next(ids.values, targets.values);
  forward(kernels, model.config, parameters.effective, activations);
  const scale = 1 / (tokens * config.batch.accumulation);
  const share = teacher === null ? 1 : 1 - teacher.weight;
  kernels.crossEntropy(losses, logit_gradient, logits, targets, shapes.logits, share * scale);
  let loss = share * meanOf(losses.values);
  if (teacher !== null) {
    const { weight, temperature } = teacher;
    const teacher_logits = teacher.logits(ids);
    kernels.distillation(losses, logit_gradient, logits, teacher_logits, shapes.logits, {
      weight: weight * scale,
      temperature,
    });
    loss += weight * meanOf(losses.values);
  }
  backward(
    {
      kernels,
      weights: parameters.effective,
      gradients: parameters.gradients,
      activations,
      scratch,
      lambda,
      observe,
    },
    logit_gradient,
  );
  return loss;
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The first place of the forward pass where a number is not finite. */
function lossNotFinite({ kernels, activations }: Session, step: number, loss: number): SherryError {
  const layer = activations.layers.findIndex(({ stream }) => !Number.isFinite(kernels.sumOfSquares(stream)));
  const place =
    layer === -1 ? "the last layer or the head" : layer === 0 ? "the embedding" : `model.layers.${layer - 1}`;
  return new SherryError("numbers_not_finite", `step ${step}: the loss`, {
    expected: "a finite number",
    received: `${loss}, first in the output of ${place}`,
    next_step: "Lower learning_rate.peak or optimizer.gradient_norm_max",
  });
}
