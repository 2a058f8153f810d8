//! Embedding, scalar.
const embedding = @import("../embedding.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const embedding.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |token| {
                const row = a.table[a.ids[token] * a.width ..][0..a.width];
                @memcpy(a.x[token * a.width ..][0..a.width], row);
            }
        }

        pub fn backward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const embedding.Arguments(Float) = @ptrCast(@alignCast(raw));
            const first = begin * embedding.unit_columns;
            const last = @min(a.width, end * embedding.unit_columns);
            for (a.ids[0..a.tokens], 0..) |id, token| {
                const gradient = a.dx[token * a.width + first .. token * a.width + last];
                const row = a.dtable[id * a.width + first .. id * a.width + last];
                for (row, gradient) |*sum, value| sum.* += value;
            }
        }
    };
}
