/**
 * One AdamW update of all parameters (Loshchilov and Hutter 2019, arXiv 1711.05101), with the gradient clipped to a
 * largest norm over all of them (Pascanu et al. 2013). Weight decay applies to matrices and not to norms.
 */
import { SherryError } from "../../src/errors.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import type { OptimizerConfig } from "./config-schema.ts";
import type { Parameters } from "./parameters.ts";

/**
 * The norm of the whole gradient, summed in one fixed order.
 * @param step for the message. @throws SherryError numbers_not_finite, naming the step and the tensor
 */
export function gradientNorm(kernels: TrainingKernels, parameters: Parameters, step: number): number {
  let sum = 0;
  for (const { name, gradient } of parameters.all) {
    const squares = kernels.sumOfSquares(gradient);
    if (!Number.isFinite(squares)) {
      throw new SherryError("numbers_not_finite", `step ${step}: the gradient of ${name}`, {
        expected: "finite numbers",
        received: String(squares),
        next_step:
          "Lower learning_rate.peak or optimizer.gradient_norm_max and resume from the last checkpoint in another output",
      });
    }
    sum += squares;
  }
  return Math.sqrt(sum);
}

/** @param step counted from 1, for the moments' bias correction */
export function updateParameters(
  kernels: TrainingKernels,
  parameters: Parameters,
  config: OptimizerConfig,
  update: { readonly step: number; readonly learning_rate: number; readonly gradient_norm: number },
): void {
  const { beta1, beta2, epsilon, weight_decay, gradient_norm_max } = config;
  const { step, learning_rate, gradient_norm } = update;
  const is_clipped = gradient_norm_max !== null && gradient_norm > gradient_norm_max;
  const gradient_scale = is_clipped ? gradient_norm_max / gradient_norm : 1;
  for (const { role, weights, gradient, first_moment, second_moment } of parameters.all) {
    kernels.adamw(weights, gradient, first_moment, second_moment, {
      ...{ learning_rate, beta1, beta2, epsilon, step, gradient_scale },
      weight_decay: role === "norm" ? 0 : weight_decay,
    });
  }
}
