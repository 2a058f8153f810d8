//! The reference of dense_linear.zig, in plain loops.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const Arguments = @import("../dense_linear.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    switch (a.element) {
        inline else => |element| multiply(element, a, begin, end),
    }
}

fn multiply(comptime element: format.Element, a: *const Arguments, begin: usize, end: usize) void {
    const weights: [*]const elements.Stored(element) = @ptrCast(a.weights);
    for (begin..end) |row| for (0..a.tokens) |token| {
        const w = weights[row * a.columns ..][0..a.columns];
        const x = a.x[token * a.columns ..][0..a.columns];
        var sums: [lanes.count]f32 = @splat(0);
        for (w, x, 0..) |stored, value, k| {
            const sum = &sums[k % lanes.count];
            sum.* = @mulAdd(f32, elements.widen(element, stored), value, sum.*);
        }
        a.y[token * a.rows + row] = lanes.foldProducts(sums, a.columns);
    };
}
