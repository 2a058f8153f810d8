/**
 * Perplexity on the held-out text through the training code, in the very windows that the runtime's scoring takes when
 * its context is T and its stride T - 1: each window predicts all its tokens but the first, and begins with the last
 * token of the window before.
 *
 * Legend: B sequences of a pass, T tokens of a sequence, N = B T.
 */
import type { ModelConfig } from "../../src/format/directory.ts";
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import { IGNORED_TARGET, type TrainingKernels } from "../../src/native/training-kernels.ts";
import type { Activations } from "./activations.ts";
import { forward } from "./forward.ts";
import type { ModelTensors } from "./model-tensors.ts";

export interface Evaluation {
  /** Mean negative log-likelihood of a token, in nats. */
  readonly loss: number;
  readonly perplexity: number;
  /** Tokens that were predicted. */
  readonly tokens: number;
}

/** @param ids the held-out text's tokens, at least two */
export function evaluate(
  kernels: TrainingKernels,
  config: ModelConfig,
  weights: ModelTensors<TrainingBuffer>,
  activations: Activations,
  ids: Uint32Array,
): Evaluation {
  const { sequences, sequence_tokens, shapes, logits, losses } = activations;
  const inputs = activations.ids.values;
  const targets = activations.targets.values;
  const stride = sequence_tokens - 1;
  let sum = 0;
  for (let start = 0; start < ids.length - 1; start += sequences * stride) {
    inputs.fill(0);
    targets.fill(IGNORED_TARGET);
    for (let sequence = 0; sequence < sequences; sequence += 1) {
      const begin = start + sequence * stride;
      const window = ids.subarray(begin, begin + sequence_tokens);
      inputs.set(window, sequence * sequence_tokens);
      targets.set(window.subarray(1), sequence * sequence_tokens);
    }
    forward(kernels, config, weights, activations);
    kernels.crossEntropy(losses, logits, logits, activations.targets, shapes.logits, 1);
    sum += losses.values.reduce((total, loss) => total + loss, 0);
  }
  const predicted = ids.length - 1;
  return { loss: sum / predicted, perplexity: Math.exp(sum / predicted), tokens: predicted };
}
