//! The kernel table of the AVX-512 level: its own kernels where they are faster, else AVX2's, compiled
//! anew. This file is the root of an object of its own, compiled for x86-64-v4
//! with VBMI and VNNI, while the rest of the library is compiled for any x86-64: nothing here may run before cpu.zig has said that it can.
const kernel = @import("kernels/kernel.zig");

const table: kernel.Table = .{
    .prepare = &@import("kernels/prepare/avx512.zig").run,
    .prepare_tables = &@import("kernels/prepare_tables/avx512.zig").run,
    .sherry_linear = &@import("kernels/sherry_linear/avx512.zig").run,
    .q8_linear = &@import("kernels/q8_linear/avx2.zig").run,
    .q6k_linear = &@import("kernels/q6k_linear/avx2.zig").run,
    .int4_linear = &@import("kernels/int4_linear/avx2.zig").run,
    .split8_linear = &@import("kernels/split8_linear/avx2.zig").run,
    .split8_upper = &@import("kernels/split8_upper/avx512.zig").run,
    .split8_coarse = &@import("kernels/split8_coarse/avx2.zig").run,
    .split8_coarse_build = &@import("kernels/split8_coarse_build/avx2.zig").run,
    .dense_linear = &@import("kernels/dense_linear/avx2.zig").run,
    .embedding = &@import("kernels/embedding/avx2.zig").run,
    .rms_norm = &@import("kernels/rms_norm/avx2.zig").run,
    .rotary = &@import("kernels/rotary/avx2.zig").run,
    .key_value_store = &@import("kernels/key_value_store/avx2.zig").run,
    .attention = &@import("kernels/attention/avx2.zig").run,
    .swiglu = &@import("kernels/swiglu/avx2.zig").run,
    .add = &@import("kernels/add/avx2.zig").run,
    .softmax = &@import("kernels/softmax/avx2.zig").run,
    .argmax = &@import("kernels/argmax/avx2.zig").run,
};

// Visible inside the library only: the linker joins the object to it, nobody outside can see the name.
comptime {
    @export(&table, .{ .name = "sherry_level_avx512", .visibility = .hidden });
}
