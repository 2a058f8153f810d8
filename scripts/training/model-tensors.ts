/**
 * A llama's tensors by the part they play, as the forward and backward passes walk them. The same structure holds
 * weights, effective weights and gradients.
 *
 * Legend: V vocabulary, C hidden_size, H query heads, G key-value heads, D head_dim, I intermediate_size.
 */
import type { ModelConfig } from "../../src/format/directory.ts";
import { HEAD_NAME } from "../../src/packing/tensor-plan.ts";

export interface LayerTensors<Tensor> {
  /** [C] */
  readonly input_norm: Tensor;
  /** [H D][C] */
  readonly query: Tensor;
  /** [G D][C] */
  readonly key: Tensor;
  /** [G D][C] */
  readonly value: Tensor;
  /** [C][H D] */
  readonly output: Tensor;
  /** [C] */
  readonly post_attention_norm: Tensor;
  /** [I][C] */
  readonly gate: Tensor;
  /** [I][C] */
  readonly up: Tensor;
  /** [C][I] */
  readonly down: Tensor;
}

export interface ModelTensors<Tensor> {
  /** [V][C] */
  readonly embedding: Tensor;
  readonly layers: readonly LayerTensors<Tensor>[];
  /** [C] */
  readonly norm: Tensor;
  /** [V][C]; the embedding itself where the model ties them. */
  readonly head: Tensor;
}

/** The seven that are quantized, in the order of a block's computation, with their names in a checkpoint. */
export const LINEAR_NAMES = {
  query: "self_attn.q_proj",
  key: "self_attn.k_proj",
  value: "self_attn.v_proj",
  output: "self_attn.o_proj",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
} as const;

export type LinearName = keyof typeof LINEAR_NAMES;

/** @param of gives a tensor by its name in a Hugging Face checkpoint */
export function arrangeTensors<Tensor>(
  config: Pick<ModelConfig, "num_hidden_layers" | "tie_word_embeddings">,
  of: (name: string) => Tensor,
): ModelTensors<Tensor> {
  const embedding = of("model.embed_tokens.weight");
  return {
    embedding,
    layers: Array.from({ length: config.num_hidden_layers }, (_, layer) => arrangeLayer(layer, of)),
    norm: of("model.norm.weight"),
    head: config.tie_word_embeddings ? embedding : of(HEAD_NAME),
  };
}

function arrangeLayer<Tensor>(layer: number, of: (name: string) => Tensor): LayerTensors<Tensor> {
  const own = (name: string) => of(`model.layers.${layer}.${name}.weight`);
  return {
    input_norm: own("input_layernorm"),
    query: own(LINEAR_NAMES.query),
    key: own(LINEAR_NAMES.key),
    value: own(LINEAR_NAMES.value),
    output: own(LINEAR_NAMES.output),
    post_attention_norm: own("post_attention_layernorm"),
    gate: own(LINEAR_NAMES.gate),
    up: own(LINEAR_NAMES.up),
    down: own(LINEAR_NAMES.down),
  };
}
