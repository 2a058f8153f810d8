/**
 * The backward pass, the forward pass read from its end: dX = dY W_effective, and through the quantizer straight to the
 * latent weights dW = (1 + lambda) dY^T X (straight-through estimator plus the residual's own gradient).
 * Sources: "Sherry" (arXiv 2601.07892), the gradients of Arenas; Bengio et al. 2013 (arXiv 1308.3432) for the estimator.
 *
 * Legend: N tokens, C hidden_size, H query heads, G key-value heads, D head_dim, I intermediate_size, V vocabulary.
 */
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import type { ActivationGradients, Activations, LayerActivations } from "./activations.ts";
import type { LayerTensors, LinearName, ModelTensors } from "./model-tensors.ts";

/** Sees dL/dY [N][rows] of every linear layer of every block while it is there. */
export type ObserveLinear = (layer: number, name: LinearName, output_gradient: TrainingBuffer) => void;

export interface BackwardPass {
  readonly kernels: TrainingKernels;
  readonly weights: ModelTensors<TrainingBuffer>;
  /** Added to. */
  readonly gradients: ModelTensors<TrainingBuffer>;
  readonly activations: Activations;
  readonly scratch: ActivationGradients;
  readonly lambda: number;
  readonly observe: ObserveLinear | null;
}

/** @param logit_gradient dL/d logits [N][V] */
export function backward(pass: BackwardPass, logit_gradient: TrainingBuffer): void {
  const { kernels, weights, gradients, activations, scratch } = pass;
  const { shapes, ids, last, last_inverse_rms, last_normed, layers } = activations;

  kernels.linearBackwardWeight(gradients.head, logit_gradient, last_normed, shapes.head, 1);
  kernels.linearBackwardInput(scratch.normed, logit_gradient, weights.head, shapes.head, false);
  kernels.zero(scratch.stream);
  kernels.rmsNormBackward(
    scratch.stream,
    gradients.norm,
    scratch.normed,
    last,
    weights.norm,
    last_inverse_rms,
    shapes.norm,
  );
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const buffers = layers[index];
    const layer = weights.layers[index];
    const layer_gradients = gradients.layers[index];
    if (buffers === undefined || layer === undefined || layer_gradients === undefined) continue;
    backwardLayer(pass, index, layer, layer_gradients, buffers);
  }
  kernels.embeddingBackward(gradients.embedding, scratch.stream, ids, shapes.embedding);
}

/** `scratch.stream` holds the gradient of the block's output, and of its input when this returns. */
function backwardLayer(
  { kernels, activations, scratch, lambda, observe }: BackwardPass,
  index: number,
  weights: LayerTensors<TrainingBuffer>,
  gradients: LayerTensors<TrainingBuffer>,
  buffers: LayerActivations,
): void {
  const { stream, inverse_rms, normed, query, key, value, attended, log_sum_exp } = buffers;
  const { middle, middle_inverse_rms, middle_normed, gate, up, inner } = buffers;
  const { shapes, rotary } = activations;
  const straight_through = 1 + lambda;

  observe?.(index, "down", scratch.stream);
  kernels.linearBackwardWeight(gradients.down, scratch.stream, inner, shapes.down, straight_through);
  kernels.linearBackwardInput(scratch.inner, scratch.stream, weights.down, shapes.down, false);
  kernels.swigluBackward(scratch.gate, scratch.up, scratch.inner, gate, up, shapes.inner_count);
  observe?.(index, "gate", scratch.gate);
  observe?.(index, "up", scratch.up);
  kernels.linearBackwardWeight(gradients.gate, scratch.gate, middle_normed, shapes.gate, straight_through);
  kernels.linearBackwardWeight(gradients.up, scratch.up, middle_normed, shapes.up, straight_through);
  kernels.linearBackwardInput(scratch.normed, scratch.gate, weights.gate, shapes.gate, false);
  kernels.linearBackwardInput(scratch.normed, scratch.up, weights.up, shapes.up, true);
  kernels.rmsNormBackward(
    scratch.stream,
    gradients.post_attention_norm,
    scratch.normed,
    middle,
    weights.post_attention_norm,
    middle_inverse_rms,
    shapes.norm,
  );

  observe?.(index, "output", scratch.stream);
  kernels.linearBackwardWeight(gradients.output, scratch.stream, attended, shapes.output, straight_through);
  kernels.linearBackwardInput(scratch.attended, scratch.stream, weights.output, shapes.output, false);
  kernels.attentionBackward(
    scratch.query,
    scratch.key,
    scratch.value,
    scratch.attended,
    attended,
    log_sum_exp,
    query,
    key,
    value,
    shapes.attention,
  );
  kernels.rotaryBackward(scratch.query, rotary, shapes.query_rotary);
  kernels.rotaryBackward(scratch.key, rotary, shapes.key_rotary);
  observe?.(index, "query", scratch.query);
  observe?.(index, "key", scratch.key);
  observe?.(index, "value", scratch.value);
  kernels.linearBackwardWeight(gradients.query, scratch.query, normed, shapes.query, straight_through);
  kernels.linearBackwardWeight(gradients.key, scratch.key, normed, shapes.key, straight_through);
  kernels.linearBackwardWeight(gradients.value, scratch.value, normed, shapes.value, straight_through);
  kernels.linearBackwardInput(scratch.normed, scratch.query, weights.query, shapes.query, false);
  kernels.linearBackwardInput(scratch.normed, scratch.key, weights.key, shapes.key, true);
  kernels.linearBackwardInput(scratch.normed, scratch.value, weights.value, shapes.value, true);
  kernels.rmsNormBackward(
    scratch.stream,
    gradients.input_norm,
    scratch.normed,
    stream,
    weights.input_norm,
    inverse_rms,
    shapes.norm,
  );
}
