//! The reference of split8_coarse.zig, in plain loops.
const std = @import("std");
const format = @import("../../format.zig");
const coarse = @import("../split8_coarse.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const token_sums = @import("../split8_token.zig");
const upper = @import("../split8_upper.zig");

const block_columns = format.activation_block_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const coarse.Arguments = @ptrCast(@alignCast(arguments));
    const layout = coarse.Layout.init(a.rows, a.columns).?;
    const gains: [*]const f32 = @ptrCast(@alignCast(a.coarse + layout.gains_offset));
    const residuals: [*]const f32 = @ptrCast(@alignCast(a.coarse + layout.residuals_offset));
    for (begin..end) |tile| {
        var maximum = -std.math.inf(f32);
        // 0 while every score is finite; an infinity or a NaN minus itself is NaN.
        var check: f32 = 0;
        for (tile * upper.tile_rows..@min(tile * upper.tile_rows + upper.tile_rows, a.rows)) |row| {
            const score = (rowSum(a, layout, row) + a.offset) * gains[row] + a.spread * residuals[row];
            a.scores[row] = score;
            maximum = lanes.larger(score, maximum);
            check += score - score;
        }
        a.tile_maxima[tile] = maximum + check;
    }
}

fn rowSum(a: *const coarse.Arguments, layout: coarse.Layout, row: usize) f32 {
    const activations = prepared.Layout.init(1, layout.blocks * block_columns).?;
    const values: [*]const i8 = @ptrCast(a.prepared + activations.values_offset);
    const scales: [*]const f32 = @ptrCast(@alignCast(a.prepared + activations.scales_offset));
    var sums: [lanes.count]f32 = @splat(0);
    for (0..layout.blocks) |block| {
        const codes = a.coarse + layout.blockOffset(row, block);
        var integers: [lanes.count]i32 = @splat(0);
        for (0..block_columns) |column| {
            const place = coarse.codePlace(column);
            const code: i32 = codes[place.byte] >> place.shift & 3;
            integers[token_sums.laneOf(column)] += code * values[block * block_columns + column];
        }
        for (&sums, integers) |*sum, integer| sum.* += @as(f32, @floatFromInt(integer)) * scales[block];
    }
    return lanes.fold(sums);
}
