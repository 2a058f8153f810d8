//! argmax.zig with eight candidates at once: lane i keeps the first largest of elements i, i + 8, ...
const std = @import("std");
const lanes = @import("../lanes.zig");
const argmax = @import("../argmax.zig");

const Indices = @Vector(lanes.count, u32);
/// Numbers with this exponent are the infinities and NaNs.
const exponent_bits: u32 = 0x7f800000;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const argmax.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |vector| a.index[vector] = indexOfLargest(a.x[vector * a.size ..][0..a.size]);
}

fn indexOfLargest(x: []const f32) u32 {
    var best: lanes.Lanes = @splat(-std.math.inf(f32));
    var best_at: Indices = @splat(argmax.not_finite);
    var at: Indices = std.simd.iota(u32, lanes.count);
    // The largest exponent seen in each lane; vpmaxud keeps it without a branch a step.
    var exponents: Indices = @splat(0);
    var i: usize = 0;
    while (x.len - i >= lanes.count) : (i += lanes.count) {
        const values: lanes.Lanes = x[i..][0..lanes.count].*;
        const exponent = @as(Indices, @bitCast(values)) & @as(Indices, @splat(exponent_bits));
        exponents = @max(exponents, exponent);
        const better = values > best;
        best = @select(f32, better, values, best);
        best_at = @select(u32, better, at, best_at);
        at +%= @splat(lanes.count);
    }
    if (@reduce(.Max, exponents) == exponent_bits) return argmax.not_finite;
    var value = -std.math.inf(f32);
    var index: u32 = argmax.not_finite;
    inline for (0..lanes.count) |lane| {
        if (best[lane] > value or (best[lane] == value and best_at[lane] < index)) {
            value = best[lane];
            index = best_at[lane];
        }
    }
    for (x[i..], i..) |candidate, position| {
        if (!std.math.isFinite(candidate)) return argmax.not_finite;
        if (candidate > value) {
            value = candidate;
            index = @intCast(position);
        }
    }
    return index;
}
