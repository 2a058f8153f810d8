//! Rows to columns, in registers.

const Vector = @Vector(8, f32);

/// The 8 x 8 transposition in three rounds of shuffles.
pub inline fn transposed(rows: [8]Vector) [8]Vector {
    var pairs: [8]Vector = undefined;
    inline for (0..4) |i| {
        pairs[2 * i] = @shuffle(f32, rows[2 * i], rows[2 * i + 1], [8]i32{ 0, -1, 1, -2, 4, -5, 5, -6 });
        pairs[2 * i + 1] = @shuffle(f32, rows[2 * i], rows[2 * i + 1], [8]i32{ 2, -3, 3, -4, 6, -7, 7, -8 });
    }
    var fours: [8]Vector = undefined;
    inline for (0..2) |i| inline for (0..2) |j| {
        const a = pairs[4 * i + j];
        const b = pairs[4 * i + 2 + j];
        fours[4 * i + 2 * j] = @shuffle(f32, a, b, [8]i32{ 0, 1, -1, -2, 4, 5, -5, -6 });
        fours[4 * i + 2 * j + 1] = @shuffle(f32, a, b, [8]i32{ 2, 3, -3, -4, 6, 7, -7, -8 });
    };
    var result: [8]Vector = undefined;
    inline for (0..4) |i| {
        result[i] = @shuffle(f32, fours[i], fours[i + 4], [8]i32{ 0, 1, 2, 3, -1, -2, -3, -4 });
        result[i + 4] = @shuffle(f32, fours[i], fours[i + 4], [8]i32{ 4, 5, 6, 7, -5, -6, -7, -8 });
    }
    return result;
}

test "columns become rows" {
    const std = @import("std");
    var rows: [8]Vector = undefined;
    for (&rows, 0..) |*row, i| {
        var values: [8]f32 = undefined;
        for (&values, 0..) |*value, j| value.* = @floatFromInt(i * 8 + j);
        row.* = values;
    }
    for (transposed(rows), 0..) |column, j| {
        const values: [8]f32 = column;
        for (values, 0..) |value, i| try std.testing.expectEqual(@as(f32, @floatFromInt(i * 8 + j)), value);
    }
}
