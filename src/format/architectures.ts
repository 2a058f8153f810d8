/**
 * The decoder families that run, and where they differ beyond sizes: whether every query and key head passes through an
 * RMS norm of its own, and on which side of the rotary positions. Names are Hugging Face's.
 * Source: transformers, models llama, qwen3 and hunyuan_v1_dense (the attention classes of their modeling files).
 */

/** config.json's model_type. */
export const ARCHITECTURES = ["llama", "qwen3", "hunyuan_v1_dense"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** Where the heads of queries and keys are normed: over head_dim, with weights that all heads of a layer share. */
export const QUERY_KEY_NORMS = ["none", "before_rotary", "after_rotary"] as const;
export type QueryKeyNorm = (typeof QUERY_KEY_NORMS)[number];

export const QUERY_KEY_NORM_OF: Readonly<Record<Architecture, QueryKeyNorm>> = {
  llama: "none",
  qwen3: "before_rotary",
  hunyuan_v1_dense: "after_rotary",
};

/** The names of the two norms inside `self_attn`, each a weight [head_dim]; null for a model without them. */
export function queryKeyNormNames(
  query_key_norm: QueryKeyNorm,
): { readonly query: string; readonly key: string } | null {
  switch (query_key_norm) {
    case "none":
      return null;
    case "before_rotary":
      return { query: "q_norm", key: "k_norm" };
    case "after_rotary":
      return { query: "query_layernorm", key: "key_layernorm" };
  }
}
