//! q8_linear.zig, 32 columns an instruction. vpmaddubsw wants one side unsigned: |weight| (up to 128) times the
//! activation with the weight's sign. Activations lie within +-127, so a pair of products stays within 2 * 128 * 127 =
//! 32512: nothing saturates. Eight groups' sums are transposed into one vector of terms, one for each lane.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const x86 = @import("../x86.zig");
const Arguments = @import("../q8_linear.zig").Arguments;

const group_columns = format.q8_group_columns;
const block_columns = format.activation_block_columns;

comptime {
    // One activation block is one vector of terms, so that all eight share one activation scale.
    if (block_columns / group_columns != lanes.count) @compileError("a block must hold one group for each lane");
}

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const weights_layout = format.Q8Layout.init(a.rows, a.columns).?;
    const layout = prepared.Layout.init(a.tokens, a.columns).?;
    const weight_scales: [*]const f16 = @ptrCast(@alignCast(a.weights[weights_layout.scales_offset..]));
    const scales: [*]const f32 = @ptrCast(@alignCast(a.prepared[layout.scales_offset..]));
    for (begin..end) |row| for (0..a.tokens) |token| {
        a.y[token * a.rows + row] = dot(
            weights_layout.groups,
            a.weights + row * weights_layout.padded_columns,
            weight_scales + row * weights_layout.groups,
            a.prepared + layout.values_offset + token * layout.padded_columns,
            scales + token * layout.blocks,
        );
    };
}

/// One output: `groups` groups of one row's weights and one token's values.
inline fn dot(
    groups: usize,
    weights: [*]const u8,
    weight_scales: [*]const f16,
    values: [*]const u8,
    scales: [*]const f32,
) f32 {
    var sums: lanes.Lanes = @splat(0);
    const blocks = groups / lanes.count;
    for (0..blocks) |block| {
        const w = weights + block * block_columns;
        const x = values + block * block_columns;
        const integers = x86.addHalves(sumOfFour(w, x), sumOfFour(w + block_columns / 2, x + block_columns / 2));
        const eight: @Vector(lanes.count, f16) = weight_scales[block * lanes.count ..][0..lanes.count].*;
        sums = sums + terms(integers, eight, scales[block]);
    }
    const rest = groups - blocks * lanes.count;
    if (rest > 0) {
        // Groups that do not exist have sum 0 and weight scale 0: they add 0.
        var integers: [lanes.count]i32 = @splat(0);
        var eight: [lanes.count]f16 = @splat(0);
        for (0..rest) |i| {
            const group = blocks * lanes.count + i;
            integers[i] = @reduce(.Add, products(weights + group * group_columns, values + group * group_columns));
            eight[i] = weight_scales[group];
        }
        sums = sums + terms(integers, eight, scales[blocks]);
    }
    return lanes.fold(sums);
}

inline fn terms(integers: x86.DoubleWords, weight_scales: @Vector(lanes.count, f16), scale: f32) lanes.Lanes {
    const activation_scales: lanes.Lanes = @splat(scale);
    const scales = @as(lanes.Lanes, @floatCast(weight_scales)) * activation_scales;
    return @as(lanes.Lanes, @floatFromInt(integers)) * scales;
}

/// One group's 32 products, in eight sums of four.
inline fn products(weights: [*]const u8, values: [*]const u8) x86.DoubleWords {
    const w: x86.Bytes = weights[0..group_columns].*;
    const x: x86.Bytes = values[0..group_columns].*;
    const pairs = x86.multiplyAddBytes(@abs(@as(@Vector(group_columns, i8), @bitCast(w))), x86.applySigns(x, w));
    return x86.multiplyAddWords(pairs, @splat(1));
}

/// Four groups: sums of their first 16 columns in lanes 0..3, of their last 16 in lanes 4..7.
inline fn sumOfFour(weights: [*]const u8, values: [*]const u8) x86.DoubleWords {
    var four: [4]x86.DoubleWords = undefined;
    inline for (&four, 0..) |*group, i| group.* = products(weights + i * group_columns, values + i * group_columns);
    return x86.addNeighbours(x86.addNeighbours(four[0], four[1]), x86.addNeighbours(four[2], four[3]));
}
