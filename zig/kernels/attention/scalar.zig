//! The reference of attention.zig, in plain loops.
const std = @import("std");
const attention = @import("../attention.zig");
const cells = @import("../cache_cells.zig");
const lanes = @import("../lanes.zig");
const merge = @import("merge.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const attention.Arguments = @ptrCast(@alignCast(arguments));
    switch (a.cell) {
        inline else => |cell| for (begin..end) |index| attendUnit(cell, a, .at(a, index)),
    }
}

fn attendUnit(comptime cell: cells.Cell, a: *const attention.Arguments, unit: attention.Unit) void {
    const ratio = a.heads / a.key_value_heads;
    for (unit.token..unit.token + unit.tokens) |token| for (0..ratio) |i| {
        const row = token * a.heads + unit.key_value_head * ratio + i;
        const positions = a.start + token + 1;
        if (unit.span) |span| {
            if (span < attention.spansOf(positions)) attendSpan(cell, a, row, span, merge.partial(a, a.slotOf(span), row));
        } else {
            attend(cell, a, row, positions);
        }
    };
}

/// Query head `row` (counted through all tokens) over the first `positions` positions.
fn attend(comptime cell: cells.Cell, a: *const attention.Arguments, row: usize, positions: usize) void {
    const out = a.out[row * a.head_dim ..][0..a.head_dim];
    var maximum: f32 = undefined;
    var sum: f32 = undefined;
    attendSpan(cell, a, row, 0, .{ .out = out, .maximum = &maximum, .sum = &sum });
    for (1..attention.spansOf(positions)) |span| {
        var span_out: [attention.head_dim_max]f32 = undefined;
        var span_maximum: f32 = undefined;
        var span_sum: f32 = undefined;
        attendSpan(cell, a, row, span, .{
            .out = span_out[0..out.len],
            .maximum = &span_maximum,
            .sum = &span_sum,
        });
        const new_maximum = lanes.larger(span_maximum, maximum);
        const scale = lanes.exponential(maximum - new_maximum);
        const span_scale = lanes.exponential(span_maximum - new_maximum);
        maximum = new_maximum;
        sum = sum * scale + span_sum * span_scale;
        for (out, span_out[0..out.len]) |*value, added| value.* = value.* * scale + added * span_scale;
    }
    for (out) |*value| value.* /= sum;
}

/// Query head `row` over the positions of span `span` that its token sees.
fn attendSpan(comptime cell: cells.Cell, a: *const attention.Arguments, row: usize, span: usize, seen: merge.Seen) void {
    const size = a.head_dim;
    const key_value_head = row % a.heads / (a.heads / a.key_value_heads);
    const offset = key_value_head * a.capacity * size;
    const keys = @as([*]const cells.Stored(cell), @ptrCast(a.key_cache)) + offset;
    const values = @as([*]const cells.Stored(cell), @ptrCast(a.value_cache)) + offset;
    const q = a.q[row * size ..][0..size];
    const end = @min((span + 1) * attention.span_positions, a.start + row / a.heads + 1);

    var maximum = -std.math.inf(f32);
    var sum: f32 = 0;
    @memset(seen.out, 0);
    var first = span * attention.span_positions;
    while (first < end) : (first += attention.segment_positions) {
        const segment = @min(attention.segment_positions, end - first);
        var powers: [attention.segment_positions]f32 = undefined;
        var new_maximum = maximum;
        for (powers[0..segment], first..) |*score, position| {
            score.* = dot(cell, q, keys[position * size ..][0..size]) * a.scale;
            if (cell == .q8) score.* *= a.scalesOf(a.key_cache, key_value_head)[position];
            new_maximum = lanes.larger(score.*, new_maximum);
        }
        const correction = lanes.exponential(maximum - new_maximum);
        maximum = new_maximum;

        var sums: [lanes.count]f32 = @splat(0);
        for (powers[0..segment], 0..) |*power, t| {
            power.* = lanes.exponential(power.* - maximum);
            sums[t % lanes.count] += power.*;
        }
        sum = sum * correction + lanes.fold(sums);

        for (seen.out) |*value| value.* *= correction;
        for (powers[0..segment], first..) |power, position| {
            const weight = if (cell == .q8) power * a.scalesOf(a.value_cache, key_value_head)[position] else power;
            for (seen.out, values[position * size ..][0..size]) |*value, stored| {
                value.* = @mulAdd(f32, weight, cells.widen(cell, stored), value.*);
            }
        }
    }
    seen.maximum.* = maximum;
    seen.sum.* = sum;
}

fn dot(comptime cell: cells.Cell, q: []const f32, key: []const cells.Stored(cell)) f32 {
    var sums: [lanes.count]f32 = @splat(0);
    for (q, key, 0..) |value, stored, j| {
        sums[j % lanes.count] = @mulAdd(f32, value, cells.widen(cell, stored), sums[j % lanes.count]);
    }
    return lanes.foldProducts(sums, q.len);
}
