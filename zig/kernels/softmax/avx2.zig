//! softmax.zig in vectors of eight.
const std = @import("std");
const lanes = @import("../lanes.zig");
const Arguments = @import("../softmax.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| {
        const x = a.x[vector * a.size ..][0..a.size];
        const out = a.out[vector * a.size ..][0..a.size];
        const factor = 1 / powers(x, out, maximumOf(x));
        const factors: lanes.Lanes = @splat(factor);
        var i: usize = 0;
        while (a.size - i >= lanes.count) : (i += lanes.count) {
            const values: lanes.Lanes = out[i..][0..lanes.count].*;
            out[i..][0..lanes.count].* = values * factors;
        }
        for (out[i..]) |*power| power.* = power.* * factor;
    }
}

/// The largest element, which is the same number in whatever order it is looked for.
fn maximumOf(x: []const f32) f32 {
    var maxima: lanes.Lanes = @splat(-std.math.inf(f32));
    var i: usize = 0;
    while (x.len - i >= lanes.count) : (i += lanes.count) {
        const values: lanes.Lanes = x[i..][0..lanes.count].*;
        maxima = lanes.larger(values, maxima);
    }
    var maximum = -std.math.inf(f32);
    inline for (0..lanes.count) |lane| maximum = lanes.larger(maxima[lane], maximum);
    for (x[i..]) |value| maximum = lanes.larger(value, maximum);
    return maximum;
}

/// Writes e^(x - maximum) to `out` and returns the sum.
fn powers(x: []const f32, out: []f32, maximum: f32) f32 {
    const maxima: lanes.Lanes = @splat(maximum);
    var sums: lanes.Lanes = @splat(0);
    var i: usize = 0;
    while (x.len - i >= lanes.count) : (i += lanes.count) {
        const power = lanes.exponential(@as(lanes.Lanes, x[i..][0..lanes.count].*) - maxima);
        out[i..][0..lanes.count].* = power;
        sums = sums + power;
    }
    for (x[i..], out[i..]) |value, *power| power.* = lanes.exponential(value - maximum);
    return lanes.fold(sums + lanes.loadPart(out.ptr + i, out.len - i));
}
