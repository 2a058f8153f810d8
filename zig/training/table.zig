//! One instruction set level's functions of the training library. The levels compute the same mathematics; a sum's order
//! and the fused multiply-add of AVX2 differ, so that results agree within the tolerances that the facades state. Within a
//! level every result has the same bits for any number of threads: no unit's result depends on how a range was cut.
const kernel = @import("../kernels/kernel.zig");
const Run = kernel.Run;

pub const Table = extern struct {
    /// Null where a product is computed in one go, row by row, without packing its right factor.
    product_pack: ?*const Run,
    product: *const Run,
    rms_norm_forward: *const Run,
    rms_norm_backward_input: *const Run,
    rms_norm_backward_gain: *const Run,
    rotary: *const Run,
    attention_forward: *const Run,
    /// Null where attention_backward does its work too.
    attention_delta: ?*const Run,
    attention_backward_query: ?*const Run,
    attention_backward: *const Run,
    swiglu_forward: *const Run,
    swiglu_backward: *const Run,
    embedding_forward: *const Run,
    embedding_backward: *const Run,
    cross_entropy: *const Run,
    distillation: *const Run,
    add: *const Run,
    fill: *const Run,
    sum_of_squares: *const Run,
    adamw: *const Run,
    quantize_magnitudes: *const Run,
    quantize_above: *const Run,
    quantize_write: *const Run,
    quantize_zero_positions: *const Run,
};
