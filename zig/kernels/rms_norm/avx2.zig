//! rms_norm.zig in vectors of eight.
const lanes = @import("../lanes.zig");
const Arguments = @import("../rms_norm.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| normalize(a, a.x + vector * a.size, a.y + vector * a.size);
}

fn normalize(a: *const Arguments, x: [*]const f32, y: [*]f32) void {
    const whole = a.size - a.size % lanes.count;
    var sums: lanes.Lanes = @splat(0);
    var i: usize = 0;
    while (i < whole) : (i += lanes.count) {
        const values: lanes.Lanes = x[i..][0..lanes.count].*;
        sums = @mulAdd(lanes.Lanes, values, values, sums);
    }
    const rest = lanes.loadPart(x + whole, a.size - whole);
    sums = @mulAdd(lanes.Lanes, rest, rest, sums);
    const r = 1 / @sqrt(lanes.fold(sums) / @as(f32, @floatFromInt(a.size)) + a.epsilon);
    const factors: lanes.Lanes = @splat(r);
    i = 0;
    while (i < whole) : (i += lanes.count) {
        const values: lanes.Lanes = x[i..][0..lanes.count].*;
        const weights: lanes.Lanes = a.weight[i..][0..lanes.count].*;
        y[i..][0..lanes.count].* = (values * factors) * weights;
    }
    for (x[whole..a.size], a.weight[whole..a.size], y[whole..a.size]) |value, weight, *out| {
        out.* = (value * r) * weight;
    }
}
