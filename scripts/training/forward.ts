/**
 * The forward pass of a llama over a batch of whole sequences, as a flat list of kernel calls. Linear layers multiply
 * with the effective weights Q(W) + lambda W, so Y = X Q(W)^T + lambda X W^T takes one product.
 * Sources: Touvron et al., "LLaMA" (arXiv 2302.13971), section 2.2; "Sherry" (arXiv 2601.07892) for the residual.
 *
 * Legend: N tokens, C hidden_size, H query heads, G key-value heads, D head_dim, I intermediate_size, V vocabulary.
 */
import type { ModelConfig } from "../../src/format/directory.ts";
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import type { Activations, LayerActivations } from "./activations.ts";
import type { LayerTensors, ModelTensors } from "./model-tensors.ts";

/** Writes the logits after every token of `activations.ids` to `activations.logits`. */
export function forward(
  kernels: TrainingKernels,
  config: ModelConfig,
  weights: ModelTensors<TrainingBuffer>,
  activations: Activations,
): void {
  const { shapes, ids, layers, last, last_inverse_rms, last_normed, logits } = activations;
  kernels.embeddingForward(layers[0]?.stream ?? last, weights.embedding, ids, shapes.embedding);
  for (const [index, layer] of weights.layers.entries()) {
    const buffers = layers[index];
    if (buffers === undefined) continue;
    forwardLayer(kernels, config, layer, activations, buffers, layers[index + 1]?.stream ?? last);
  }
  kernels.rmsNormForward(last_normed, last_inverse_rms, last, weights.norm, shapes.norm, config.rms_norm_eps);
  kernels.linearForward(logits, last_normed, weights.head, shapes.head);
}

function forwardLayer(
  kernels: TrainingKernels,
  config: ModelConfig,
  weights: LayerTensors<TrainingBuffer>,
  activations: Activations,
  buffers: LayerActivations,
  next_stream: TrainingBuffer,
): void {
  const { stream, inverse_rms, normed, query, key, value, attended, log_sum_exp } = buffers;
  const { middle, middle_inverse_rms, middle_normed, gate, up, inner } = buffers;
  const { shapes, rotary } = activations;

  kernels.rmsNormForward(normed, inverse_rms, stream, weights.input_norm, shapes.norm, config.rms_norm_eps);
  kernels.linearForward(query, normed, weights.query, shapes.query);
  kernels.linearForward(key, normed, weights.key, shapes.key);
  kernels.linearForward(value, normed, weights.value, shapes.value);
  kernels.rotaryForward(query, rotary, shapes.query_rotary);
  kernels.rotaryForward(key, rotary, shapes.key_rotary);
  kernels.attentionForward(attended, log_sum_exp, query, key, value, shapes.attention);
  kernels.linearForward(middle, attended, weights.output, shapes.output);
  kernels.add(middle, stream);

  kernels.rmsNormForward(
    middle_normed,
    middle_inverse_rms,
    middle,
    weights.post_attention_norm,
    shapes.norm,
    config.rms_norm_eps,
  );
  kernels.linearForward(gate, middle_normed, weights.gate, shapes.gate);
  kernels.linearForward(up, middle_normed, weights.up, shapes.up);
  kernels.swigluForward(inner, gate, up, shapes.inner_count);
  kernels.linearForward(next_stream, inner, weights.down, shapes.down);
  kernels.add(next_stream, middle);
}
