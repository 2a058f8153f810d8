//! The reference of rms_norm.zig, in plain loops.
const lanes = @import("../lanes.zig");
const Arguments = @import("../rms_norm.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| {
        const x = a.x[vector * a.size ..][0..a.size];
        const y = a.y[vector * a.size ..][0..a.size];
        var sums: [lanes.count]f32 = @splat(0);
        for (x, 0..) |value, i| sums[i % lanes.count] = @mulAdd(f32, value, value, sums[i % lanes.count]);
        const mean = lanes.fold(sums) / @as(f32, @floatFromInt(a.size));
        const r = 1 / @sqrt(mean + a.epsilon);
        for (x, a.weight[0..a.size], y) |value, weight, *out| out.* = (value * r) * weight;
    }
}
