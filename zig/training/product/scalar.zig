//! Matrix product, scalar: some columns at a time, so that the sums stay close while A's row is read.
const product = @import("../product.zig");

const chunk_columns = 32;

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const product.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |row| {
                var column: usize = 0;
                while (column < a.columns) : (column += chunk_columns) {
                    computeChunk(a, row, column, @min(chunk_columns, a.columns - column));
                }
            }
        }

        fn computeChunk(a: *const product.Arguments(Float), row: usize, column: usize, count: usize) void {
            var sums: [chunk_columns]Float = @splat(0);
            for (0..a.depth) |d| {
                const left = a.a[row * a.a_row + d * a.a_depth];
                const right = a.b + d * a.b_depth + column * a.b_column;
                for (sums[0..count], 0..) |*sum, i| sum.* += left * right[i * a.b_column];
            }
            const out = a.c[row * a.columns + column ..][0..count];
            for (out, sums[0..count]) |*result, sum| {
                result.* = if (a.accumulate != 0) result.* + a.scale * sum else a.scale * sum;
            }
        }
    };
}
