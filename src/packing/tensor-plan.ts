/** Which tensors a model has, with their shapes and what each is for: the order in which they are packed. */
import { queryKeyNormNames } from "../format/architectures.ts";
import type { ModelConfig, TensorShape } from "../format/directory.ts";

/** The seven linear layers of a block are what `--linear` speaks of; norms always stay f32. */
export type TensorRole = "embedding" | "norm" | "linear" | "head";

export interface PlannedTensor {
  readonly name: string;
  readonly role: TensorRole;
  readonly shape: TensorShape;
}

export const HEAD_NAME = "lm_head.weight";

/** Shapes are [out_features, in_features]. */
export function planTensors(config: ModelConfig): readonly PlannedTensor[] {
  const { hidden_size, intermediate_size, head_dim, vocab_size } = config;
  const query_size = config.num_attention_heads * head_dim;
  const key_value_size = config.num_key_value_heads * head_dim;
  const tensors: PlannedTensor[] = [];
  const linear = (name: string, rows: number, columns: number) => {
    tensors.push({ name, role: "linear", shape: [rows, columns] });
  };
  const norm = (name: string, size = hidden_size) => tensors.push({ name, role: "norm", shape: [size] });
  const head_norms = queryKeyNormNames(config.query_key_norm);
  tensors.push({ name: "model.embed_tokens.weight", role: "embedding", shape: [vocab_size, hidden_size] });
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    norm(`${prefix}.input_layernorm.weight`);
    linear(`${prefix}.self_attn.q_proj.weight`, query_size, hidden_size);
    linear(`${prefix}.self_attn.k_proj.weight`, key_value_size, hidden_size);
    linear(`${prefix}.self_attn.v_proj.weight`, key_value_size, hidden_size);
    if (head_norms !== null) {
      norm(`${prefix}.self_attn.${head_norms.query}.weight`, head_dim);
      norm(`${prefix}.self_attn.${head_norms.key}.weight`, head_dim);
    }
    linear(`${prefix}.self_attn.o_proj.weight`, hidden_size, query_size);
    norm(`${prefix}.post_attention_layernorm.weight`);
    linear(`${prefix}.mlp.gate_proj.weight`, intermediate_size, hidden_size);
    linear(`${prefix}.mlp.up_proj.weight`, intermediate_size, hidden_size);
    linear(`${prefix}.mlp.down_proj.weight`, hidden_size, intermediate_size);
  }
  norm("model.norm.weight");
  if (!config.tie_word_embeddings) {
    tensors.push({ name: HEAD_NAME, role: "head", shape: [vocab_size, hidden_size] });
  }
  return tensors;
}
