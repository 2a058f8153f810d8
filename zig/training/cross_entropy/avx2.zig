//! Softmax cross-entropy, AVX2.
const std = @import("std");
const cross_entropy = @import("../cross_entropy.zig");
const lanes = @import("../lanes.zig");

const Lanes = lanes.Lanes;

const Row = struct { logits: [*]const f32, powers: [*]f32, maximum: Lanes };

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const cross_entropy.Arguments(f32) = @ptrCast(@alignCast(raw));
    for (begin..end) |token| {
        const logits = a.logits + token * a.vocabulary;
        const dlogits = a.dlogits + token * a.vocabulary;
        const target = a.targets[token];
        if (target == cross_entropy.ignored) {
            a.losses[token] = 0;
            @memset(dlogits[0..a.vocabulary], 0);
            continue;
        }
        const at_target = logits[target];
        const maximum = maximumOf(logits, a.vocabulary);
        const row = Row{ .logits = logits, .powers = dlogits, .maximum = @splat(maximum) };
        const total = lanes.Sums.over(a.vocabulary, row, power);
        a.losses[token] = @log(total) + maximum - at_target;
        scaleBy(dlogits, a.vocabulary, a.scale / total);
        dlogits[target] -= a.scale;
    }
}

/// The largest; with a NaN among them, anything, and the sum of the powers is NaN then.
pub fn maximumOf(x: [*]const f32, total: usize) f32 {
    var largest: [4]Lanes = @splat(@splat(-std.math.inf(f32)));
    var i: usize = 0;
    while (i + 4 * lanes.count <= total) : (i += 4 * lanes.count) {
        inline for (&largest, 0..) |*part, index| part.* = lanes.larger(lanes.load(x + i + index * lanes.count), part.*);
    }
    while (i + lanes.count <= total) : (i += lanes.count) largest[0] = lanes.larger(lanes.load(x + i), largest[0]);
    if (i < total) largest[0] = lanes.larger(lanes.loadPart(x + i, total - i, -std.math.inf(f32)), largest[0]);
    return @reduce(.Max, lanes.larger(lanes.larger(largest[0], largest[1]), lanes.larger(largest[2], largest[3])));
}

inline fn power(row: Row, i: usize, n: usize) Lanes {
    if (n < lanes.count) {
        const part = lanes.exponential(lanes.loadPart(row.logits + i, n, -std.math.inf(f32)) - row.maximum);
        lanes.storePart(row.powers + i, n, part);
        return part;
    }
    const whole = lanes.exponential(lanes.load(row.logits + i) - row.maximum);
    lanes.store(row.powers + i, whole);
    return whole;
}

fn scaleBy(x: [*]f32, total: usize, factor: f32) void {
    var i: usize = 0;
    while (i + lanes.count <= total) : (i += lanes.count) lanes.store(x + i, lanes.load(x + i) * @as(Lanes, @splat(factor)));
    while (i < total) : (i += 1) x[i] *= factor;
}
