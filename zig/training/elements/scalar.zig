//! Small operations on arrays, scalar.
const elements = @import("../elements.zig");

pub fn Scalar(comptime Float: type) type {
    const Arguments = elements.Arguments(Float);
    return struct {
        pub fn add(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            for (a.y[begin..end], a.x[begin..end]) |*sum, value| sum.* += value;
        }

        pub fn fill(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            @memset(a.y[begin..end], a.value);
        }

        pub fn sumOfSquares(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            const size = elements.chunkElements(a.count);
            for (begin..end) |chunk| {
                var sum: f64 = 0;
                for (a.x[chunk * size .. @min(a.count, (chunk + 1) * size)]) |value| sum += @as(f64, value) * value;
                a.sums[chunk] = sum;
            }
        }
    };
}
