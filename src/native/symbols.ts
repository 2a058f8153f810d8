/**
 * The C ABI's signatures, written by `zig build bindings` from zig/c_abi, zig/bench and zig/training. Do not
 * edit: change the Zig declarations and run `bun scripts/write-bindings.ts`.
 */
export const SYMBOLS = {
  sherry_abi_version: { args: [], returns: "u32" },
  sherry_cpu_level_best: { args: [], returns: "u32" },
  sherry_context_create: { args: ["u32", "u32", "ptr"], returns: "i32" },
  sherry_context_destroy: { args: ["ptr"], returns: "i32" },
  sherry_memory_allocate: { args: ["u64", "ptr"], returns: "i32" },
  sherry_memory_free: { args: ["u64", "u64"], returns: "i32" },
  sherry_memory_lock: { args: ["u64", "u64"], returns: "i32" },
  sherry_map_open: { args: ["ptr", "ptr"], returns: "i32" },
  sherry_prepared_bytes: { args: ["u64", "u64", "ptr"], returns: "i32" },
  sherry_prepare: { args: ["ptr", "ptr", "u64", "u64", "u32", "ptr", "u64"], returns: "i32" },
  sherry_linear_sherry: {
    args: ["ptr", "ptr", "u64", "u64", "u64", "u32", "u32", "u32", "ptr", "u64", "u64", "ptr"],
    returns: "i32",
  },
  sherry_linear_q8: { args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64", "u64", "ptr"], returns: "i32" },
  sherry_linear_q6k: {
    args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64", "u64", "ptr"],
    returns: "i32",
  },
  sherry_linear_int4: {
    args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64", "u64", "ptr"],
    returns: "i32",
  },
  sherry_linear_dense: {
    args: ["ptr", "ptr", "u64", "u32", "u64", "u64", "ptr", "u64", "ptr"],
    returns: "i32",
  },
  sherry_embedding: { args: ["ptr", "ptr", "u64", "u32", "u64", "u64", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_linear_split8: {
    args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64", "u64", "ptr"],
    returns: "i32",
  },
  sherry_head_coarse_bytes: { args: ["u64", "u64", "ptr"], returns: "i32" },
  sherry_head_coarse_build: { args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64"], returns: "i32" },
  sherry_head_candidates: {
    args: [
      "ptr",
      "ptr",
      "u64",
      "u64",
      "u64",
      "ptr",
      "u64",
      "u64",
      "f32",
      "ptr",
      "u64",
      "f32",
      "ptr",
      "u64",
      "ptr",
      "ptr",
      "ptr",
    ],
    returns: "i32",
  },
  sherry_rms_norm: { args: ["ptr", "ptr", "ptr", "f32", "u64", "u64", "ptr"], returns: "i32" },
  sherry_rotary_table: { args: ["ptr", "ptr", "u64", "u64", "u64", "ptr"], returns: "i32" },
  sherry_rotary: { args: ["ptr", "ptr", "u64", "u64", "u64", "ptr"], returns: "i32" },
  sherry_swiglu: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_add: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" },
  sherry_softmax: { args: ["ptr", "ptr", "u64", "u64", "ptr"], returns: "i32" },
  sherry_argmax: { args: ["ptr", "ptr", "u64", "u64", "ptr"], returns: "i32" },
  sherry_key_value_store: { args: ["ptr", "ptr", "ptr", "u64", "u64", "u32", "ptr", "u64"], returns: "i32" },
  sherry_attention: { args: ["ptr", "ptr", "u64", "u64", "u64", "u32", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_run_calls: { args: ["ptr", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_pack_widen: { args: ["ptr", "u64", "u32", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_pack_narrow: { args: ["ptr", "u64", "u32", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  sherry_pack_grid_scan: { args: ["ptr", "u64", "u64", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_pack_group_sums: { args: ["ptr", "u64", "u64", "u64", "ptr", "u64"], returns: "i32" },
  sherry_pack_encode: {
    args: ["ptr", "u64", "u64", "u64", "ptr", "u64", "ptr", "u64", "ptr"],
    returns: "i32",
  },
  sherry_pack_q8: { args: ["ptr", "u64", "u64", "ptr", "u64", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  sherry_pack_int4: { args: ["ptr", "u64", "u64", "ptr", "u64", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  sherry_pack_split8: {
    args: ["ptr", "u64", "u64", "ptr", "ptr", "u64", "ptr", "u64", "ptr"],
    returns: "i32",
  },
} as const;

/** The functions that sherry_run_calls makes calls of, by their numbers there. */
export const CALL_NUMBERS = {
  sherry_prepare: 0,
  sherry_linear_sherry: 1,
  sherry_linear_q8: 2,
  sherry_linear_q6k: 3,
  sherry_linear_int4: 4,
  sherry_linear_dense: 5,
  sherry_linear_split8: 6,
  sherry_rms_norm: 7,
  sherry_rotary: 8,
  sherry_swiglu: 9,
  sherry_add: 10,
  sherry_key_value_store: 11,
  sherry_attention: 12,
} as const;

/** Of libsherry_bench, which benches alone load. */
export const BENCH_SYMBOLS = {
  sherry_bench_abi_version: { args: [], returns: "u32" },
  sherry_bench_context_create: { args: ["u32", "u32", "ptr"], returns: "i32" },
  sherry_bench_context_destroy: { args: ["ptr"], returns: "i32" },
  sherry_bench_memory_allocate: { args: ["u64", "u32", "ptr"], returns: "i32" },
  sherry_bench_memory_free: { args: ["u64", "u64"], returns: "i32" },
  sherry_bench_fill: { args: ["ptr", "u64", "u64", "u32"], returns: "i32" },
  sherry_bench_empty: { args: ["ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  sherry_bench_add_chain: { args: ["u64", "ptr"], returns: "i32" },
  sherry_bench_peak: { args: ["ptr", "u32", "u64", "ptr"], returns: "i32" },
  sherry_bench_read: { args: ["ptr", "ptr", "u64", "u64", "u64", "u32", "ptr"], returns: "i32" },
  sherry_bench_two_bit_bytes: { args: ["u64", "u64", "ptr"], returns: "i32" },
  sherry_bench_two_bit_prepare: { args: ["ptr", "ptr", "u64", "ptr", "u64"], returns: "i32" },
  sherry_bench_two_bit_linear: {
    args: ["ptr", "ptr", "u64", "u64", "u64", "ptr", "u64", "ptr"],
    returns: "i32",
  },
} as const;

/** Of libsherry_training, which training alone loads. */
export const TRAINING_SYMBOLS = {
  sherry_train_abi_version: { args: [], returns: "u32" },
  sherry_train_context_create: { args: ["u32", "u32", "ptr"], returns: "i32" },
  sherry_train_context_destroy: { args: ["ptr"], returns: "i32" },
  sherry_train_linear_forward: { args: ["ptr", "ptr", "ptr", "u64", "u64", "u64", "ptr"], returns: "i32" },
  sherry_train_linear_backward_input: {
    args: ["ptr", "ptr", "ptr", "u64", "u64", "u64", "u32", "ptr"],
    returns: "i32",
  },
  sherry_train_linear_backward_weight: {
    args: ["ptr", "ptr", "ptr", "u64", "u64", "u64", "f32", "ptr"],
    returns: "i32",
  },
  sherry_train_rms_norm_forward: {
    args: ["ptr", "ptr", "ptr", "u64", "u64", "f32", "ptr", "ptr"],
    returns: "i32",
  },
  sherry_train_rms_norm_backward: {
    args: ["ptr", "ptr", "ptr", "ptr", "ptr", "u64", "u64", "ptr", "ptr"],
    returns: "i32",
  },
  sherry_train_rotary: { args: ["ptr", "ptr", "ptr", "u64", "u64", "u64", "u64", "u32"], returns: "i32" },
  sherry_train_swiglu_forward: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_train_swiglu_backward: { args: ["ptr", "ptr", "ptr", "ptr", "u64", "ptr", "ptr"], returns: "i32" },
  sherry_train_embedding_forward: { args: ["ptr", "ptr", "u64", "u64", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_train_embedding_backward: {
    args: ["ptr", "ptr", "u64", "u64", "ptr", "u64", "ptr"],
    returns: "i32",
  },
  sherry_train_add: { args: ["ptr", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_train_fill: { args: ["ptr", "f32", "u64", "ptr"], returns: "i32" },
  sherry_train_attention_forward: {
    args: ["ptr", "ptr", "ptr", "ptr", "u64", "u64", "u64", "u64", "u64", "ptr", "ptr"],
    returns: "i32",
  },
  sherry_train_attention_backward: {
    args: [
      "ptr",
      "ptr",
      "ptr",
      "ptr",
      "ptr",
      "ptr",
      "ptr",
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
      "ptr",
      "ptr",
      "ptr",
    ],
    returns: "i32",
  },
  sherry_train_cross_entropy: {
    args: ["ptr", "ptr", "ptr", "u64", "u64", "f32", "ptr", "ptr"],
    returns: "i32",
  },
  sherry_train_distillation: {
    args: ["ptr", "ptr", "ptr", "u64", "u64", "f32", "f32", "ptr", "ptr"],
    returns: "i32",
  },
  sherry_train_fake_quantize: {
    args: ["ptr", "ptr", "u64", "u64", "u32", "u64", "u32", "f32", "ptr"],
    returns: "i32",
  },
  sherry_train_zero_positions: { args: ["ptr", "ptr", "u64", "u64", "ptr"], returns: "i32" },
  sherry_train_sum_of_squares: { args: ["ptr", "ptr", "u64", "ptr"], returns: "i32" },
  sherry_train_adamw: {
    args: ["ptr", "ptr", "u64", "u64", "f64", "f64", "f64", "f64", "f64", "f64", "ptr", "ptr", "ptr"],
    returns: "i32",
  },
} as const;
