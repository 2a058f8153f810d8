//! The reference of q8_linear.zig, in plain loops.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const Arguments = @import("../q8_linear.zig").Arguments;

const group_columns = format.q8_group_columns;
const block_groups = format.activation_block_columns / group_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const weights_layout = format.Q8Layout.init(a.rows, a.columns).?;
    const layout = prepared.Layout.init(a.tokens, a.columns).?;
    const weights: [*]const i8 = @ptrCast(a.weights);
    const weight_scales: [*]const f16 = @ptrCast(@alignCast(a.weights[weights_layout.scales_offset..]));
    const values: [*]const i8 = @ptrCast(a.prepared[layout.values_offset..]);
    const scales: [*]const f32 = @ptrCast(@alignCast(a.prepared[layout.scales_offset..]));
    for (begin..end) |row| for (0..a.tokens) |token| {
        var sums: [lanes.count]f32 = @splat(0);
        for (0..weights_layout.groups) |group| {
            const column = group * group_columns;
            const columns = @min(group_columns, a.columns - column);
            const w = weights[row * weights_layout.padded_columns + column ..][0..columns];
            const x = values[token * layout.padded_columns + column ..][0..columns];
            var dot: i32 = 0;
            for (w, x) |weight, value| dot += @as(i32, weight) * value;
            const weight_scale: f32 = weight_scales[row * weights_layout.groups + group];
            const scale = scales[token * layout.blocks + group / block_groups];
            sums[group % lanes.count] += @as(f32, @floatFromInt(dot)) * (weight_scale * scale);
        }
        a.y[token * a.rows + row] = lanes.fold(sums);
    };
}
