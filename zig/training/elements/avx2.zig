//! The sum of squares, AVX2: sixteen running sums in f64 for each chunk.
const elements = @import("../elements.zig");

const Wide = @Vector(4, f64);
const sums_of = 4;

pub fn sumOfSquares(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const elements.Arguments(f32) = @ptrCast(@alignCast(raw));
    const size = elements.chunkElements(a.count);
    for (begin..end) |chunk| {
        const x = a.x[chunk * size .. @min(a.count, (chunk + 1) * size)];
        var sums: [sums_of]Wide = @splat(@splat(0));
        var i: usize = 0;
        while (i + 4 * sums_of <= x.len) : (i += 4 * sums_of) {
            inline for (&sums, 0..) |*sum, part| {
                const four: Wide = @floatCast(@as(@Vector(4, f32), x[i + 4 * part ..][0..4].*));
                sum.* = @mulAdd(Wide, four, four, sum.*);
            }
        }
        var sum = @reduce(.Add, (sums[0] + sums[1]) + (sums[2] + sums[3]));
        for (x[i..]) |value| sum += @as(f64, value) * value;
        a.sums[chunk] = sum;
    }
}
