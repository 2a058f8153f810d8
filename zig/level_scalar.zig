//! The kernel table of the scalar level: plain Zig for any CPU, the reference that every other level must equal.
const kernel = @import("kernels/kernel.zig");

pub const table: kernel.Table = .{
    .prepare = &@import("kernels/prepare/scalar.zig").run,
    .sherry_linear = &@import("kernels/sherry_linear/scalar.zig").run,
    .q8_linear = &@import("kernels/q8_linear/scalar.zig").run,
    .q6k_linear = &@import("kernels/q6k_linear/scalar.zig").run,
    .int4_linear = &@import("kernels/int4_linear/scalar.zig").run,
    .split8_linear = &@import("kernels/split8_linear/scalar.zig").run,
    .split8_upper = &@import("kernels/split8_upper/scalar.zig").run,
    .split8_coarse = &@import("kernels/split8_coarse/scalar.zig").run,
    .split8_coarse_build = &@import("kernels/split8_coarse_build/scalar.zig").run,
    .dense_linear = &@import("kernels/dense_linear/scalar.zig").run,
    .embedding = &@import("kernels/embedding/scalar.zig").run,
    .rms_norm = &@import("kernels/rms_norm/scalar.zig").run,
    .rotary = &@import("kernels/rotary/scalar.zig").run,
    .key_value_store = &@import("kernels/key_value_store/scalar.zig").run,
    .attention = &@import("kernels/attention/scalar.zig").run,
    .swiglu = &@import("kernels/swiglu/scalar.zig").run,
    .add = &@import("kernels/add/scalar.zig").run,
    .softmax = &@import("kernels/softmax/scalar.zig").run,
    .argmax = &@import("kernels/argmax/scalar.zig").run,
};
