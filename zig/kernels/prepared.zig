//! Prepared activations: what the integer kernels (all kinds but the dense ones) read instead of float vectors. Made once for every
//! linear layer that shares an input (q, k, v; gate, up) and its column order, by prepare.zig. Columns are counted in that
//! order throughout.
//!
//! Legend: B tokens, K columns (in_features), N = ceil(K / 256) activation blocks.
const std = @import("std");
const format = @import("../format.zig");

/// Columns that share one entry of `sums`: the shortest scale group, so that the sum over any group is a sum of entries.
pub const sum_columns = format.chunk_columns;
/// Entries of `sums` for one activation block.
pub const block_sums = format.activation_block_columns / sum_columns;
/// Entries of `half_sums` for one activation block: sums of 16 columns, for q6k's sub-scales.
pub const block_half_sums = format.activation_block_columns / (sum_columns / 2);

/// Where the sum of an activation block's columns 16 * number .. 16 * number + 15 lies among its `half_sums`: those of
/// even numbers first, the order of a q6k block's sub-scales.
pub inline fn halfSumPlace(number: usize) usize {
    return format.q6k.subScalePlace(number);
}

/// Offsets in bytes from the start of one allocation, which is aligned to 64; every part starts at a multiple of 64.
pub const Layout = struct {
    blocks: usize,
    /// K rounded up to a multiple of 256; the activations past K are zero.
    padded_columns: usize,
    /// f32 [B][N]: the activation scale of each block; NaN where the input was not finite.
    scales_offset: usize,
    /// i32 [B][N][8]: the sum of the int8 values of each 32 columns.
    sums_offset: usize,
    /// i16 [B][N][16]: the sum of the int8 values of each 16 columns, at halfSumPlace.
    half_sums_offset: usize,
    /// i8 [B][N * 256]
    values_offset: usize,
    /// u64: a number that no other activations prepared in this process have; 0 where nobody has given one.
    stamp_offset: usize,
    bytes: usize,

    /// Null when a size is zero or a product overflows.
    pub fn init(tokens: usize, columns: usize) ?Layout {
        if (tokens == 0 or columns == 0) return null;
        const padded_columns = format.roundUp(columns, format.activation_block_columns) orelse return null;
        const blocks = padded_columns / format.activation_block_columns;
        const cells = std.math.mul(usize, tokens, blocks) catch return null;
        const scales_bytes = std.math.mul(usize, cells, @sizeOf(f32)) catch return null;
        const sums_bytes = std.math.mul(usize, cells, block_sums * @sizeOf(i32)) catch return null;
        const half_sums_bytes = std.math.mul(usize, cells, block_half_sums * @sizeOf(i16)) catch return null;
        const values_bytes = std.math.mul(usize, cells, format.activation_block_columns) catch return null;
        const sums_offset = format.roundUp(scales_bytes, 64) orelse return null;
        const sums_end = std.math.add(usize, sums_offset, sums_bytes) catch return null;
        const half_sums_offset = format.roundUp(sums_end, 64) orelse return null;
        const half_sums_end = std.math.add(usize, half_sums_offset, half_sums_bytes) catch return null;
        const values_offset = format.roundUp(half_sums_end, 64) orelse return null;
        const stamp_offset = std.math.add(usize, values_offset, values_bytes) catch return null;
        return .{
            .blocks = blocks,
            .padded_columns = padded_columns,
            .scales_offset = 0,
            .sums_offset = sums_offset,
            .half_sums_offset = half_sums_offset,
            .values_offset = values_offset,
            .stamp_offset = stamp_offset,
            .bytes = std.math.add(usize, stamp_offset, 64) catch return null,
        };
    }
};

test "every part starts at a multiple of 64, none reaches into the next, and the last ends the allocation" {
    for ([_]usize{ 1, 2, 3, 8, 64, 100 }) |tokens| for ([_]usize{ 1, 4, 255, 256, 257, 2048, 8644 }) |columns| {
        const layout = Layout.init(tokens, columns).?;
        const cells = tokens * layout.blocks;
        try std.testing.expect(layout.padded_columns >= columns and layout.padded_columns - columns < 256);
        try std.testing.expect(layout.sums_offset >= layout.scales_offset + cells * 4);
        try std.testing.expect(layout.half_sums_offset >= layout.sums_offset + cells * 32);
        try std.testing.expect(layout.values_offset >= layout.half_sums_offset + cells * 32);
        try std.testing.expect(layout.stamp_offset >= layout.values_offset + cells * 256);
        try std.testing.expectEqual(layout.stamp_offset + 64, layout.bytes);
        const offsets = [_]usize{ layout.sums_offset, layout.half_sums_offset, layout.values_offset, layout.stamp_offset };
        for (offsets) |offset| try std.testing.expectEqual(0, offset % 64);
    };
}

test "sizes of zero and products that would overflow give no layout" {
    try std.testing.expectEqual(null, Layout.init(0, 4));
    try std.testing.expectEqual(null, Layout.init(4, 0));
    try std.testing.expectEqual(null, Layout.init(1, std.math.maxInt(usize)));
    try std.testing.expectEqual(null, Layout.init(1 << 40, 1 << 40));
    try std.testing.expectEqual(null, Layout.init(3, 1 << 63));
}
