//! The reference of argmax.zig, in plain loops.
const std = @import("std");
const argmax = @import("../argmax.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const argmax.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| a.index[vector] = indexOfLargest(a.x[vector * a.size ..][0..a.size]);
}

fn indexOfLargest(x: []const f32) u32 {
    var best = -std.math.inf(f32);
    var index: u32 = argmax.not_finite;
    for (x, 0..) |value, i| {
        if (!std.math.isFinite(value)) return argmax.not_finite;
        if (value > best) {
            best = value;
            index = @intCast(i);
        }
    }
    return index;
}
