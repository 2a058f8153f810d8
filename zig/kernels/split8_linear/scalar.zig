//! The reference of split8_linear.zig, in plain loops.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const token_sums = @import("../split8_token.zig");
const Arguments = @import("../split8_linear.zig").Arguments;

const block_columns = format.activation_block_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const weights_layout = format.split8.Layout.init(a.rows, a.columns).?;
    const layout = prepared.Layout.init(a.prepared_tokens, a.columns).?;
    const row_scales: [*]const f32 = @ptrCast(@alignCast(a.weights + weights_layout.scales_offset));
    const values: [*]const i8 = @ptrCast(a.prepared + layout.values_offset);
    const scales: [*]const f32 = @ptrCast(@alignCast(a.prepared + layout.scales_offset));
    for (begin..end) |index| {
        const row = if (a.list) |list| list[index] else index;
        const high = a.weights + row * weights_layout.row_bytes;
        for (0..a.tokens) |token| {
            var sums: [lanes.count]f32 = @splat(0);
            for (0..layout.blocks) |block| {
                const cell = (a.first_token + token) * layout.blocks + block;
                const x = values[(a.first_token + token) * layout.padded_columns ..];
                const integers = blockSums(high, high + weights_layout.low_offset, x, block, a.columns);
                for (&sums, integers, a.corrections[cell]) |*sum, integer, correction| {
                    sum.* += @as(f32, @floatFromInt(integer - correction)) * scales[cell];
                }
            }
            a.y[token * a.count + index] = lanes.fold(sums) * row_scales[row];
        }
    }
}

/// Sums of stored values times activations over one block, by lane.
fn blockSums(high: [*]const u8, low: [*]const u8, x: [*]const i8, block: usize, columns: usize) [lanes.count]i32 {
    var sums: [lanes.count]i32 = @splat(0);
    const first = block * block_columns;
    for (first..@min(first + block_columns, columns)) |column| {
        const place = format.split8.nibblePlace(column);
        const stored = @as(i32, high[place.byte] >> place.shift & 15) * 16 + (low[place.byte] >> place.shift & 15);
        sums[token_sums.laneOf(column)] += stored * x[column];
    }
    return sums;
}
