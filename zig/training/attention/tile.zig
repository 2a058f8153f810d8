//! Small matrix products for attention's tiles, AVX2 with FMA: C [M, columns] = (C +) A B, A read through strides one
//! number at a time, B row by row in vectors. Nothing is packed: what attention multiplies is in the first-level cache.
const std = @import("std");
const transposed = @import("../transposition.zig").transposed;

const Vector = @Vector(8, f32);
/// Rows computed together with two vectors of columns: twelve sums, as in product/avx2.zig.
const rows_max = 6;

pub const Left = struct {
    base: [*]const f32,
    /// Distance of rows, and of steps in depth, in elements.
    row: usize,
    depth: usize,
};

/// Row-major with `pitch` elements from row to row.
pub const Right = struct { base: [*]const f32, pitch: usize };
pub const Output = struct { base: [*]f32, pitch: usize };

/// `columns` is a multiple of 8.
pub inline fn multiply(comptime adds: bool, rows: usize, columns: usize, depth: usize, left: Left, right: Right, out: Output) void {
    var row: usize = 0;
    while (row < rows) : (row += rows_max) {
        const count = @min(rows_max, rows - row);
        const part = Left{ .base = left.base + row * left.row, .row = left.row, .depth = left.depth };
        const target = Output{ .base = out.base + row * out.pitch, .pitch = out.pitch };
        switch (count) {
            inline 1...rows_max => |exact| multiplyRows(adds, exact, columns, depth, part, right, target),
            else => unreachable,
        }
    }
}

fn multiplyRows(comptime adds: bool, comptime rows: usize, columns: usize, depth: usize, left: Left, right: Right, out: Output) void {
    var column: usize = 0;
    while (column + 16 <= columns) : (column += 16) multiplyTile(adds, rows, 2, column, depth, left, right, out);
    if (column < columns) multiplyTile(adds, rows, 1, column, depth, left, right, out);
}

inline fn multiplyTile(
    comptime adds: bool,
    comptime rows: usize,
    comptime vectors: usize,
    column: usize,
    depth: usize,
    left: Left,
    right: Right,
    out: Output,
) void {
    var sums: [rows][vectors]Vector = @splat(@splat(@splat(0)));
    if (adds) inline for (&sums, 0..) |*row, i| inline for (row, 0..) |*sum, j| {
        sum.* = out.base[i * out.pitch + column + j * 8 ..][0..8].*;
    };
    var source = right.base + column;
    var factors = left.base;
    for (0..depth) |_| {
        var values: [vectors]Vector = undefined;
        inline for (&values, 0..) |*value, j| value.* = source[j * 8 ..][0..8].*;
        inline for (&sums, 0..) |*row, i| {
            const factor: Vector = @splat(factors[i * left.row]);
            inline for (row, values) |*sum, value| sum.* = @mulAdd(Vector, factor, value, sum.*);
        }
        source += right.pitch;
        factors += left.depth;
    }
    inline for (sums, 0..) |row, i| inline for (row, 0..) |sum, j| {
        out.base[i * out.pitch + column + j * 8 ..][0..8].* = sum;
    };
}

/// `target` [depth][width]: element (d, i) is scale * source[i * pitch + d], zero for i >= count.
pub fn transpose(comptime width: usize, source: [*]const f32, pitch: usize, count: usize, depth: usize, scale: f32, target: [*]f32) void {
    var i: usize = 0;
    while (i + 8 <= count) : (i += 8) {
        var d: usize = 0;
        while (d + 8 <= depth) : (d += 8) {
            var rows: [8]Vector = undefined;
            inline for (&rows, 0..) |*row, r| row.* = source[(i + r) * pitch + d ..][0..8].* * @as(Vector, @splat(scale));
            const columns = transposed(rows);
            inline for (columns, 0..) |column, c| target[(d + c) * width + i ..][0..8].* = column;
        }
        while (d < depth) : (d += 1) {
            inline for (0..8) |r| target[d * width + i + r] = source[(i + r) * pitch + d] * scale;
        }
    }
    if (i == width) return;
    for (0..depth) |d| {
        for (i..width) |r| target[d * width + r] = if (r < count) source[r * pitch + d] * scale else 0;
    }
}

test "a transposition, whole and padded" {
    var source: [9 * 21]f32 = undefined;
    for (&source, 0..) |*value, i| value.* = @floatFromInt(i);
    var target: [13 * 16]f32 = undefined;
    transpose(16, &source, 21, 9, 13, 2, &target);
    for (0..13) |d| for (0..16) |i| {
        const expected: f32 = if (i < 9) 2 * source[i * 21 + d] else 0;
        try std.testing.expectEqual(expected, target[d * 16 + i]);
    };
}
