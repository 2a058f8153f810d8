//! The AVX2 variants of all kernels.
const kernel = @import("kernel.zig");

pub const table: kernel.Table = .{
    .prepare = &@import("prepare/avx2.zig").run,
    .sherry_linear = &@import("sherry_linear/avx2.zig").run,
    .q8_linear = &@import("q8_linear/avx2.zig").run,
    .q6k_linear = &@import("q6k_linear/avx2.zig").run,
    .int4_linear = &@import("int4_linear/avx2.zig").run,
    .split8_linear = &@import("split8_linear/avx2.zig").run,
    .split8_upper = &@import("split8_upper/avx2.zig").run,
    .split8_coarse = &@import("split8_coarse/avx2.zig").run,
    .split8_coarse_build = &@import("split8_coarse_build/avx2.zig").run,
    .dense_linear = &@import("dense_linear/avx2.zig").run,
    .embedding = &@import("embedding/avx2.zig").run,
    .rms_norm = &@import("rms_norm/avx2.zig").run,
    .rotary = &@import("rotary/avx2.zig").run,
    .key_value_store = &@import("key_value_store/avx2.zig").run,
    .attention = &@import("attention/avx2.zig").run,
    .swiglu = &@import("swiglu/avx2.zig").run,
    .add = &@import("add/avx2.zig").run,
    .softmax = &@import("softmax/avx2.zig").run,
    .argmax = &@import("argmax/avx2.zig").run,
};
