//! The training library's scalar level: plain loops that any CPU runs, the reference of every other level.
const Table = @import("table.zig").Table;

const quantize = @import("fake_quantize/scalar.zig");
const attention = @import("attention/scalar.zig").Scalar(f32);
const elements = @import("elements/scalar.zig").Scalar(f32);
const embedding = @import("embedding/scalar.zig").Scalar(f32);
const rms_norm = @import("rms_norm/scalar.zig").Scalar(f32);
const swiglu = @import("swiglu/scalar.zig").Scalar(f32);

pub const table: Table = .{
    .product_pack = null,
    .product = &@import("product/scalar.zig").Scalar(f32).run,
    .rms_norm_forward = &rms_norm.forward,
    .rms_norm_backward_input = &rms_norm.backwardInput,
    .rms_norm_backward_gain = &rms_norm.backwardGain,
    .rotary = &@import("rotary/scalar.zig").Scalar(f32).run,
    .attention_forward = &attention.forward,
    .attention_delta = &attention.delta,
    .attention_backward_query = &attention.backwardQuery,
    .attention_backward = &attention.backwardKeyValue,
    .swiglu_forward = &swiglu.forward,
    .swiglu_backward = &swiglu.backward,
    .embedding_forward = &embedding.forward,
    .embedding_backward = &embedding.backward,
    .cross_entropy = &@import("cross_entropy/scalar.zig").Scalar(f32).run,
    .distillation = &@import("distillation/scalar.zig").Scalar(f32).run,
    .add = &elements.add,
    .fill = &elements.fill,
    .sum_of_squares = &elements.sumOfSquares,
    .adamw = &@import("adamw/scalar.zig").Scalar(f32).run,
    .quantize_magnitudes = &quantize.magnitudes,
    .quantize_above = &quantize.above,
    .quantize_write = &quantize.write,
    .quantize_zero_positions = &quantize.zeroPositions,
};
