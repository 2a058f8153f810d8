//! The reference of softmax.zig, in plain loops.
const std = @import("std");
const lanes = @import("../lanes.zig");
const Arguments = @import("../softmax.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| {
        const x = a.x[vector * a.size ..][0..a.size];
        const out = a.out[vector * a.size ..][0..a.size];
        var maximum = -std.math.inf(f32);
        for (x) |value| maximum = lanes.larger(value, maximum);
        var sums: [lanes.count]f32 = @splat(0);
        for (x, out, 0..) |value, *power, i| {
            power.* = lanes.exponential(value - maximum);
            sums[i % lanes.count] += power.*;
        }
        const factor = 1 / lanes.fold(sums);
        for (out) |*power| power.* = power.* * factor;
    }
}
