//! The training library's functions at the AVX2 level, fused multiply-add included: the root of an object of its own, as
//! level_avx2.zig is of the product.
const Table = @import("training/table.zig").Table;
const scalar = @import("training/level_scalar.zig").table;
const attention = @import("training/attention/avx2.zig");
const product = @import("training/product/avx2.zig");
const rms_norm = @import("training/rms_norm/avx2.zig");
const swiglu = @import("training/swiglu/avx2.zig");

/// What only moves or adds numbers, and the sums of quantizing, is the scalar code, compiled for this level.
const table: Table = level: {
    var level = scalar;
    level.product_pack = &product.pack;
    level.product = &product.run;
    level.rms_norm_forward = &rms_norm.forward;
    level.rms_norm_backward_input = &rms_norm.backwardInput;
    level.rms_norm_backward_gain = &rms_norm.backwardGain;
    level.rotary = &@import("training/rotary/avx2.zig").run;
    level.attention_forward = &attention.forward;
    level.attention_delta = null;
    level.attention_backward_query = null;
    level.attention_backward = &attention.backward;
    level.swiglu_forward = &swiglu.forward;
    level.swiglu_backward = &swiglu.backward;
    level.cross_entropy = &@import("training/cross_entropy/avx2.zig").run;
    level.distillation = &@import("training/distillation/avx2.zig").run;
    level.sum_of_squares = &@import("training/elements/avx2.zig").sumOfSquares;
    level.quantize_write = &@import("training/fake_quantize/avx2.zig").write;
    level.adamw = &@import("training/adamw/avx2.zig").run;
    break :level level;
};

// Visible inside the library only.
comptime {
    @export(&table, .{ .name = "sherry_training_level_avx2", .visibility = .hidden });
}
