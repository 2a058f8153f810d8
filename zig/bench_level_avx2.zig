//! The bench library's functions at the AVX2 level: the root of an object of its own, as level_avx2.zig is of the product.
const table_of = @import("bench/table.zig");
const peak = @import("bench/peak.zig");

const table: table_of.Table = .{
    .read = &@import("bench/read.zig").run,
    .two_bit_prepare = &@import("bench/two_bit_prepare.zig").run,
    .two_bit_linear = &@import("bench/two_bit_avx2.zig").run,
    .peak_integers = &peak.integers,
    .peak_floats = &peak.floats,
};

// Visible inside the library only.
comptime {
    @export(&table, .{ .name = "sherry_bench_level_avx2", .visibility = .hidden });
}
