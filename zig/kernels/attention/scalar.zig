//! The reference of attention.zig, in plain loops.
const std = @import("std");
const attention = @import("../attention.zig");
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const attention.Arguments = @ptrCast(@alignCast(arguments));
    const ratio = a.heads / a.key_value_heads;
    for (begin..end) |unit| {
        const token = unit / a.key_value_heads;
        const key_value_head = unit % a.key_value_heads;
        for (0..ratio) |i| {
            const head = token * a.heads + key_value_head * ratio + i;
            switch (a.element) {
                .f32 => attend(.f32, a, head, key_value_head, a.start + token + 1),
                .f16 => attend(.f16, a, head, key_value_head, a.start + token + 1),
                .bf16 => unreachable,
            }
        }
    }
}

/// Query head `head` (counted through all tokens) over the first `positions` positions.
fn attend(
    comptime element: format.Element,
    a: *const attention.Arguments,
    head: usize,
    key_value_head: usize,
    positions: usize,
) void {
    const size = a.head_dim;
    const key_cache: [*]const elements.Stored(element) = @ptrCast(a.key_cache);
    const value_cache: [*]const elements.Stored(element) = @ptrCast(a.value_cache);
    const keys = key_cache + key_value_head * a.capacity * size;
    const values = value_cache + key_value_head * a.capacity * size;
    const q = a.q[head * size ..][0..size];
    const out = a.out[head * size ..][0..size];

    var maximum = -std.math.inf(f32);
    var sum: f32 = 0;
    @memset(out, 0);
    var first: usize = 0;
    while (first < positions) : (first += attention.segment_positions) {
        const segment = @min(attention.segment_positions, positions - first);
        var powers: [attention.segment_positions]f32 = undefined;
        var new_maximum = maximum;
        for (powers[0..segment], first..) |*score, position| {
            score.* = dot(element, q, keys[position * size ..][0..size]) * a.scale;
            new_maximum = lanes.larger(score.*, new_maximum);
        }
        const correction = if (first == 0) 0 else lanes.exponential(maximum - new_maximum);
        maximum = new_maximum;

        var sums: [lanes.count]f32 = @splat(0);
        for (powers[0..segment], 0..) |*power, t| {
            power.* = lanes.exponential(power.* - maximum);
            sums[t % lanes.count] += power.*;
        }
        sum = sum * correction + lanes.fold(sums);

        for (out) |*value| value.* *= correction;
        for (powers[0..segment], first..) |power, position| {
            for (out, values[position * size ..][0..size]) |*value, stored| {
                value.* += power * elements.widen(element, stored);
            }
        }
    }
    for (out) |*value| value.* /= sum;
}

fn dot(comptime element: format.Element, q: []const f32, key: []const elements.Stored(element)) f32 {
    var sums: [lanes.count]f32 = @splat(0);
    for (q, key, 0..) |value, stored, j| sums[j % lanes.count] += value * elements.widen(element, stored);
    return lanes.fold(sums);
}
