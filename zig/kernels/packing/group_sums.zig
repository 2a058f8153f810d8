//! The sums behind Sparse-AbsMean's scales (arXiv 2601.07892, section 3): in each block of four the weight of least
//! magnitude is dropped (of equal ones the first), the magnitudes of the other three are added up. A scale is its group's
//! sum divided by three quarters of the group's length.
//!
//! Sums are f64, taken one weight after the other in the row's order: the definition that the tests' own quantizer, in
//! another language, meets bit for bit. Rows have independent sums, so several rows run side by side.
//!
//! Legend: R rows of the tile, K columns, G groups = K / group_columns rounded up.
const std = @import("std");
const format = @import("../../format.zig");

/// Rows that run side by side: a chain of f64 additions waits for each one, so one row alone would leave the adder idle.
const lanes = 8;

/// Sums f64 [R][G] of `tile` f32 [R][K]. K and group_columns are multiples of four, group_columns is not zero.
pub fn run(tile: []const f32, columns: usize, group_columns: usize, sums: []f64) void {
    const rows = tile.len / columns;
    const groups = std.math.divCeil(usize, columns, group_columns) catch unreachable;
    var row: usize = 0;
    while (row + lanes <= rows) : (row += lanes) {
        sumRows(lanes, tile[row * columns ..], columns, group_columns, sums[row * groups ..]);
    }
    while (row < rows) : (row += 1) {
        sumRows(1, tile[row * columns ..], columns, group_columns, sums[row * groups ..]);
    }
}

inline fn sumRows(comptime count: usize, tile: []const f32, columns: usize, group_columns: usize, sums: []f64) void {
    const groups = std.math.divCeil(usize, columns, group_columns) catch unreachable;
    for (0..groups) |group| {
        const end = @min(columns, (group + 1) * group_columns);
        var column = group * group_columns;
        var running: [count]f64 = @splat(0);
        while (column < end) : (column += format.block_columns) {
            inline for (&running, 0..) |*sum, lane| {
                const block: @Vector(4, f32) = @abs(@as(@Vector(4, f32), tile[lane * columns + column ..][0..4].*));
                const dropped = leastOf(block);
                // Adding zero in the dropped weight's place leaves the sum's bits alone, and needs no branch.
                inline for (0..4) |position| {
                    sum.* += if (position == dropped) 0 else @as(f64, block[position]);
                }
            }
        }
        for (running, 0..) |sum, lane| sums[lane * groups + group] = sum;
    }
}

/// The position of the least of four magnitudes; the first of equal ones.
pub inline fn leastOf(block: @Vector(4, f32)) u2 {
    const first: u2 = if (block[1] < block[0]) 1 else 0;
    const second: u2 = if (block[3] < block[2]) 3 else 2;
    const least_first = @min(block[0], block[1]);
    const least_second = @min(block[2], block[3]);
    return if (least_second < least_first) second else first;
}

test "the first of equal magnitudes is dropped" {
    try std.testing.expectEqual(0, leastOf(.{ 0, 0, 0, 0 }));
    try std.testing.expectEqual(0, leastOf(.{ 1, 1, 1, 1 }));
    try std.testing.expectEqual(1, leastOf(.{ 2, 1, 1, 1 }));
    try std.testing.expectEqual(2, leastOf(.{ 2, 2, 1, 1 }));
    try std.testing.expectEqual(3, leastOf(.{ 2, 2, 2, 1 }));
    try std.testing.expectEqual(0, leastOf(.{ 1, 2, 1, 2 }));
    try std.testing.expectEqual(1, leastOf(.{ 2, 1, 2, 1 }));
}

test "sums equal the definition, one weight after the other, for odd rows and short groups" {
    var random = std.Random.DefaultPrng.init(20260108);
    for ([_][3]usize{ .{ 1, 4, 4 }, .{ 7, 36, 32 }, .{ 9, 172, 64 }, .{ 17, 260, 128 }, .{ 64, 44, 44 }, .{ 8, 64, 256 } }) |sizes| {
        const rows, const columns, const group_columns = sizes;
        const groups = (columns + group_columns - 1) / group_columns;
        const tile = try std.testing.allocator.alloc(f32, rows * columns);
        defer std.testing.allocator.free(tile);
        const sums = try std.testing.allocator.alloc(f64, rows * groups);
        defer std.testing.allocator.free(sums);
        for (tile) |*weight| weight.* = (random.random().float(f32) - 0.5) * random.random().floatExp(f32);
        run(tile, columns, group_columns, sums);
        for (0..rows) |row| for (0..groups) |group| {
            var sum: f64 = 0;
            var column = group * group_columns;
            while (column < @min(columns, (group + 1) * group_columns)) : (column += 4) {
                const block = tile[row * columns + column ..][0..4];
                var dropped: usize = 0;
                for (block, 0..) |weight, position| {
                    if (@abs(weight) < @abs(block[dropped])) dropped = position;
                }
                for (block, 0..) |weight, position| {
                    if (position != dropped) sum += @abs(weight);
                }
            }
            try std.testing.expectEqual(sum, sums[row * groups + group]);
        };
    }
}
