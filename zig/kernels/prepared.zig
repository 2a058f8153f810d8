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

/// Bytes of the two digit tables for one block of four activations (see sum_tables.zig).
pub const block_table_bytes = 32;
/// Bytes of tables for one activation block of 256 columns: 64 blocks of four.
pub const table_bytes = format.activation_block_columns / format.block_columns * block_table_bytes;
/// Where the high digits of a block of four lie, counted from its low digits.
pub const table_high_offset = 256;
/// The same of the AVX-512 level, whose tables hold negatives too (see sum_tables/avx512.zig).
pub const wide_block_table_bytes = 2 * block_table_bytes;
pub const wide_table_bytes = 2 * table_bytes;
/// Tokens whose tables lie side by side, because sherry_linear looks up for as many at once.
pub const table_tokens = 4;
/// Tokens whose tables are made together, by the thread that reads them (sum_tables.zig).
pub const group_tokens = 8;

/// Where the tables of an activation block of a token lie among all B * N, counted in tables: four tokens' after
/// four tokens' (the last fewer), in each block after block, in each block token after token. So what is used together
/// lies together, and no two of it at a distance that makes them share a cache's sets.
pub inline fn tableIndex(tokens: usize, blocks: usize, token: usize, block: usize) usize {
    const first = token / table_tokens * table_tokens;
    return first * blocks + block * @min(table_tokens, tokens - first) + token % table_tokens;
}

/// One activation block of one token.
pub const Cell = struct {
    token: usize,
    block: usize,
};

/// The tables of one activation block of one token, among those of `tokens` tokens with `blocks` activation blocks each.
pub const TablePlace = struct {
    all: [*]align(64) u8,
    tokens: usize,
    blocks: usize,
    cell: Cell,

    /// Those of the AVX2 level.
    pub inline fn narrow(self: TablePlace) *[table_bytes]u8 {
        return self.all[tableIndex(self.tokens, self.blocks, self.cell.token, self.cell.block) * table_bytes ..][0..table_bytes];
    }

    pub inline fn wide(self: TablePlace) WidePlace {
        return .init(self.tokens, self.cell.token, self.cell.block);
    }
};

/// Where the wide tables of an activation block of a token begin among those of a group of tokens, in bytes, and how far from
/// one block of four's to the next: activation block after activation block, in each block of four after block of four, in
/// each token after token. So they are read in the order in which they lie.
pub const WidePlace = struct {
    offset: usize,
    stride: usize,

    pub inline fn init(tokens: usize, token: usize, block: usize) WidePlace {
        return .{
            .offset = block * tokens * wide_table_bytes + token * wide_block_table_bytes,
            .stride = tokens * wide_block_table_bytes,
        };
    }
};

/// Where the sixteen low digits of block of four `block` (0..63) lie inside its activation block's tables. The tables of
/// two chunks (sixteen blocks) are interleaved, because that is how the transposition in sum_tables/avx2.zig leaves them:
/// blocks 0 and 8 side by side, then 1 and 9, and so on to 7 and 15; after those 256 bytes the high digits likewise.
pub inline fn tableOffset(block: usize) usize {
    return block / 16 * 512 + block % 8 * 32 + block / 8 % 2 * 16;
}

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

test "the tables of an activation block fill its bytes, each once" {
    var seen: [table_bytes]bool = @splat(false);
    for (0..64) |block| for ([_]usize{ 0, table_high_offset }) |digit| for (0..16) |entry| {
        const offset = tableOffset(block) + digit + entry;
        try std.testing.expect(!seen[offset]);
        seen[offset] = true;
    };
}

test "the tables of all tokens and blocks fill their part, each once" {
    for ([_]usize{ 1, 2, 3, 4, 5, 8, 11 }) |tokens| for ([_]usize{ 1, 2, 7 }) |blocks| {
        var seen: [11 * 7]bool = @splat(false);
        for (0..tokens) |token| for (0..blocks) |block| {
            const index = tableIndex(tokens, blocks, token, block);
            try std.testing.expect(index < tokens * blocks and !seen[index]);
            seen[index] = true;
            // A token's neighbour in its four lies beside it.
            if (token % 4 != 0) try std.testing.expectEqual(index - 1, tableIndex(tokens, blocks, token - 1, block));
        };
    };
}

test "the wide tables of all tokens and blocks fill their part, each once" {
    const slots = wide_table_bytes / wide_block_table_bytes;
    for ([_]usize{ 1, 2, 3, 7, 8 }) |tokens| for ([_]usize{ 1, 2, 5 }) |blocks| {
        var seen: [8 * 5 * slots]bool = @splat(false);
        for (0..tokens) |token| for (0..blocks) |block| {
            const place = WidePlace.init(tokens, token, block);
            for (0..slots) |block_of_four| {
                const offset = place.offset + block_of_four * place.stride;
                try std.testing.expectEqual(0, offset % wide_block_table_bytes);
                const slot = offset / wide_block_table_bytes;
                try std.testing.expect(slot < tokens * blocks * slots and !seen[slot]);
                seen[slot] = true;
            }
        };
    };
}
