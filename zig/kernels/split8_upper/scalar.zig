//! The reference of split8_upper.zig, in plain loops.
const std = @import("std");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const token_sums = @import("../split8_token.zig");
const upper = @import("../split8_upper.zig");

const block_columns = format.activation_block_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const upper.Arguments = @ptrCast(@alignCast(arguments));
    const weights_layout = format.split8.Layout.init(a.rows, a.columns).?;
    const row_scales: [*]const f32 = @ptrCast(@alignCast(a.weights + weights_layout.scales_offset));
    for (begin..end) |tile| for (0..a.tokens) |token| {
        var maximum = -std.math.inf(f32);
        // 0 while every score is finite; an infinity or a NaN minus itself is NaN.
        var check: f32 = 0;
        for (tile * upper.tile_rows..@min(tile * upper.tile_rows + upper.tile_rows, a.count)) |index| {
            const row = a.rowOf(index);
            const sum = highSum(a, a.weights + row * weights_layout.row_bytes, token);
            const score = (sum * 16 + a.offsets[token]) * row_scales[row];
            a.scores[token * a.count + index] = score;
            maximum = lanes.larger(score, maximum);
            check += score - score;
        }
        a.tile_maxima[token * upper.tileCount(a.count) + tile] = maximum + check;
    };
}

fn highSum(a: *const upper.Arguments, high: [*]const u8, token: usize) f32 {
    const layout = prepared.Layout.init(a.tokens, a.columns).?;
    const values: [*]const i8 = @ptrCast(a.prepared + layout.values_offset + token * layout.padded_columns);
    const all_scales: [*]const f32 = @ptrCast(@alignCast(a.prepared + layout.scales_offset));
    const scales = all_scales + token * layout.blocks;
    var sums: [lanes.count]f32 = @splat(0);
    for (0..layout.blocks) |block| {
        var integers: [lanes.count]i32 = @splat(0);
        const first = block * block_columns;
        for (first..@min(first + block_columns, a.columns)) |column| {
            const place = format.split8.nibblePlace(column);
            integers[token_sums.laneOf(column)] += @as(i32, high[place.byte] >> place.shift & 15) * values[column];
        }
        for (&sums, integers) |*sum, integer| sum.* = @mulAdd(f32, @floatFromInt(integer), scales[block], sum.*);
    }
    return lanes.fold(sums);
}
