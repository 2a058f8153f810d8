//! prepare.zig's contract with the values and sums of avx2.zig and with wide tables, for sherry_linear/avx512.zig: block
//! of four after block of four, for each the sixteen low digits, their negatives, the sixteen high digits, their
//! negatives. An index with the sign as its fifth bit then finds the signed digit.
const format = @import("../../format.zig");
const avx2 = @import("avx2.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const x86 = @import("../x86.zig");

const block_bytes = prepared.wide_block_table_bytes;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const input: *const prepare.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |unit| {
        const target = prepare.Target.init(input, unit);
        avx2.quantizeBlock(target);
        if (prepare.tablesOf(prepared.wide_table_bytes, input, unit)) |tables| fillBlock(target.values, tables);
    }
}

pub fn fillBlock(values: *const [format.activation_block_columns]i8, tables: *[prepared.wide_table_bytes]u8) void {
    for (0..4) |part| fillTables(values[part * 64 ..][0..64], tables[part * 16 * block_bytes ..][0 .. 16 * block_bytes]);
}

/// The tables of sixteen blocks of four.
fn fillTables(values: *const [64]i8, tables: *[16 * block_bytes]u8) void {
    const digits = avx2.digitsOf(values);
    inline for (.{ digits.low, digits.high }, 0..) |vectors, place| {
        inline for (vectors, 0..) |vector, block| {
            const negative = @as(x86.Bytes, @splat(0)) -% vector;
            tables[block * block_bytes + place * 32 ..][0..32].* = avx2.firstLanes(vector, negative);
            tables[(block + 8) * block_bytes + place * 32 ..][0..32].* = avx2.secondLanes(vector, negative);
        }
    }
}
