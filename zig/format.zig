//! The packed file's arithmetic: block, chunk and tile sizes, where each bit of a weight lies, and how many bytes a
//! tensor takes. The one place that both the packer's and the runtime's kernels read. docs/format.md says the same in
//! prose; the asserts below keep the two numbers that people quote (1.25 bit a weight) true.
//!
//! Legend: R rows (out_features), K columns (in_features).
const std = @import("std");

/// Kinds with arithmetic of their own.
pub const q6k = @import("format/q6k.zig");
pub const int4 = @import("format/int4.zig");
pub const split8 = @import("format/split8.zig");

/// Sherry (arXiv 2601.07892, section 3): of four neighbouring weights along in_features one is zero, three are +-1.
pub const block_columns = 4;
/// Columns that a chunk covers: eight blocks. K is padded to a multiple of it.
pub const chunk_columns = 32;
pub const chunk_blocks = chunk_columns / block_columns;
/// Rows that a tile covers. R is padded to a multiple of it.
pub const tile_rows = 64;
/// A chunk of a tile: eight 32-byte vectors of index nibbles, then 32 bytes of signs for rows 0-31, 32 for rows 32-63.
pub const chunk_bytes = 320;
pub const chunk_signs_offset = 256;
pub const vector_bytes = 32;

/// Columns that share one activation scale (int8 activations).
pub const activation_block_columns = 256;
/// Columns that share one scale in a `q8` tensor.
pub const q8_group_columns = 32;

comptime {
    // Five bits a block of four: 1.25 bit a weight.
    std.debug.assert(chunk_bytes * 8 * block_columns == tile_rows * chunk_columns * 5);
    std.debug.assert(chunk_signs_offset == chunk_blocks * vector_bytes);
}

/// How far one scale of a `sherry` tensor reaches.
pub const Granularity = enum(u32) { tensor = 0, channel = 1, group = 2 };

/// Which column of the original matrix a column of a `sherry` tensor holds. `strided` makes neighbours of the four
/// weights of a group of GGUF's STQ1_0, which lie 16 columns apart; K is then a multiple of `stride_columns`.
pub const ColumnOrder = enum(u32) { natural = 0, strided = 1 };
/// Columns among which `strided` permutes.
pub const stride_columns = 64;

/// The original column that column `column` of a strided tensor holds.
pub inline fn originalColumn(column: usize) usize {
    const within = column % stride_columns;
    return column - within + within / block_columns + stride_columns / block_columns * (within % block_columns);
}

/// How a dense element or a scale is stored.
pub const Element = enum(u32) {
    f32 = 0,
    f16 = 1,
    bf16 = 2,

    pub fn bytes(self: Element) usize {
        return switch (self) {
            .f32 => 4,
            .f16, .bf16 => 2,
        };
    }
};

/// The row (0..63) of a tile that byte `byte` (0..31) of an index vector speaks of: its low nibble when `half` is 0,
/// its high nibble when `half` is 1. The same byte of sign vector `half` holds that row's eight signs, block b's in bit 7 - b. The order makes
/// the rows come out in natural order after AVX2's in-lane unpacks to 16 and 32 bits.
pub inline fn rowOfByte(byte: usize, half: usize) usize {
    const lane = byte / 16;
    const within = byte % 16;
    return half * 32 + (within / 4) * 8 + lane * 4 + within % 4;
}

/// The inverse of `rowOfByte` for a row 0..63: its byte; its half is row / 32.
pub inline fn byteOfRow(row: usize) usize {
    const within = row % 32;
    return ((within / 4) % 2) * 16 + (within / 8) * 4 + within % 4;
}

/// One block's five bits. `index` = zero position << 2 | second sign << 1 | third sign, the two signs relative to the
/// first nonzero weight (1: opposite); `negative` is 1 when the first nonzero weight is -1.
pub const Code = struct { index: u4, negative: u1 };

/// The four weights (-1, 0, +1) of a code.
pub fn decode(code: Code) [block_columns]i8 {
    const zero_position: usize = code.index >> 2;
    const first: i8 = if (code.negative == 1) -1 else 1;
    const signs = [3]i8{
        first,
        if (code.index & 2 != 0) -first else first,
        if (code.index & 1 != 0) -first else first,
    };
    var weights: [block_columns]i8 = undefined;
    var nonzero: usize = 0;
    for (&weights, 0..) |*weight, position| {
        if (position == zero_position) {
            weight.* = 0;
        } else {
            weight.* = signs[nonzero];
            nonzero += 1;
        }
    }
    return weights;
}

/// The code of a block given its zero position and, for each of the four positions, whether the weight is negative
/// (the entry at the zero position is not read).
pub fn encode(zero_position: u2, negative: [block_columns]bool) Code {
    var signs: [3]bool = undefined;
    var nonzero: usize = 0;
    for (negative, 0..) |is_negative, position| {
        if (position == zero_position) continue;
        signs[nonzero] = is_negative;
        nonzero += 1;
    }
    const second: u4 = @intFromBool(signs[1] != signs[0]);
    const third: u4 = @intFromBool(signs[2] != signs[0]);
    return .{ .index = @as(u4, zero_position) << 2 | second << 1 | third, .negative = @intFromBool(signs[0]) };
}

/// `value` rounded up to a multiple of `multiple`; null when that overflows.
pub fn roundUp(value: usize, multiple: usize) ?usize {
    const sum = std.math.add(usize, value, multiple - 1) catch return null;
    return sum / multiple * multiple;
}

/// Where the parts of a `sherry` tensor lie, in bytes from its start. Codes first: tile after tile, in each tile chunk
/// after chunk. Scales follow at a multiple of 64: one (tensor); or R padded to 64 (channel); or for each tile, for each
/// group, 64 (group). `group_columns` is 0 unless the granularity is group. The last group of a row may be short.
pub const SherryLayout = struct {
    tiles: usize,
    chunks: usize,
    codes_bytes: usize,
    scales_offset: usize,
    /// Groups in a row; 1 unless the granularity is group.
    groups: usize,
    scales_count: usize,
    bytes: usize,

    /// Null when a size is zero, K is no multiple of four, the group is none of 32, 64, 128, 256, or a product overflows.
    pub fn init(rows: usize, columns: usize, granularity: Granularity, group_columns: usize, scale: Element) ?SherryLayout {
        if (rows == 0 or columns == 0 or columns % block_columns != 0) return null;
        const tiles = (roundUp(rows, tile_rows) orelse return null) / tile_rows;
        const chunks = (roundUp(columns, chunk_columns) orelse return null) / chunk_columns;
        const groups: usize = switch (granularity) {
            .tensor, .channel => if (group_columns == 0) 1 else return null,
            .group => switch (group_columns) {
                32, 64, 128, 256 => (roundUp(columns, group_columns) orelse return null) / group_columns,
                else => return null,
            },
        };
        const chunk_count = std.math.mul(usize, tiles, chunks) catch return null;
        const codes_bytes = std.math.mul(usize, chunk_count, chunk_bytes) catch return null;
        const scales_offset = roundUp(codes_bytes, 64) orelse return null;
        const scales_count = switch (granularity) {
            .tensor => 1,
            .channel, .group => std.math.mul(usize, tiles * tile_rows, groups) catch return null,
        };
        const scales_bytes = std.math.mul(usize, scales_count, scale.bytes()) catch return null;
        const bytes = std.math.add(usize, scales_offset, scales_bytes) catch return null;
        return .{
            .tiles = tiles,
            .chunks = chunks,
            .codes_bytes = codes_bytes,
            .scales_offset = scales_offset,
            .groups = groups,
            .scales_count = scales_count,
            .bytes = bytes,
        };
    }

    /// Where the scale of (row, column) lies among the scales, counted in scales.
    pub inline fn scaleIndex(self: SherryLayout, granularity: Granularity, group_columns: usize, row: usize, column: usize) usize {
        return switch (granularity) {
            .tensor => 0,
            .channel => row,
            .group => (row / tile_rows * self.groups + column / group_columns) * tile_rows + row % tile_rows,
        };
    }
};

/// Where the parts of a `q8` tensor lie: int8 values [R][K padded to 32], then at a multiple of 64 the f16 scales
/// [R][K padded / 32].
pub const Q8Layout = struct {
    padded_columns: usize,
    groups: usize,
    scales_offset: usize,
    bytes: usize,

    pub fn init(rows: usize, columns: usize) ?Q8Layout {
        if (rows == 0 or columns == 0) return null;
        const padded_columns = roundUp(columns, q8_group_columns) orelse return null;
        const groups = padded_columns / q8_group_columns;
        const values_bytes = std.math.mul(usize, rows, padded_columns) catch return null;
        const scales_offset = roundUp(values_bytes, 64) orelse return null;
        const scales_bytes = std.math.mul(usize, rows, groups * 2) catch return null;
        return .{
            .padded_columns = padded_columns,
            .groups = groups,
            .scales_offset = scales_offset,
            .bytes = std.math.add(usize, scales_offset, scales_bytes) catch return null,
        };
    }
};

test "every row of a tile has one byte and one half" {
    var seen: [tile_rows]bool = @splat(false);
    for (0..2) |half| for (0..vector_bytes) |byte| {
        const row = rowOfByte(byte, half);
        try std.testing.expect(!seen[row]);
        seen[row] = true;
        try std.testing.expectEqual(byte, byteOfRow(row));
        try std.testing.expectEqual(half, row / 32);
    };
}

test "the 32 codes decode to 32 different blocks and encode back" {
    var seen: [32][block_columns]i8 = undefined;
    for (0..32) |value| {
        const code = Code{ .index = @intCast(value >> 1), .negative = @intCast(value & 1) };
        const weights = decode(code);
        for (seen[0..value]) |other| try std.testing.expect(!std.mem.eql(i8, &other, &weights));
        seen[value] = weights;
        var negative: [block_columns]bool = undefined;
        var zeros: usize = 0;
        for (weights, 0..) |weight, position| {
            negative[position] = weight < 0;
            if (weight == 0) zeros += 1;
        }
        try std.testing.expectEqual(1, zeros);
        try std.testing.expectEqual(code, encode(@intCast(code.index >> 2), negative));
    }
}

test "layout sizes, and products that would overflow" {
    const layout = SherryLayout.init(172, 64, .group, 32, .f16).?;
    try std.testing.expectEqual(3, layout.tiles);
    try std.testing.expectEqual(2, layout.chunks);
    try std.testing.expectEqual(3 * 2 * 320, layout.codes_bytes);
    try std.testing.expectEqual(3 * 64 * 2, layout.scales_count);
    try std.testing.expectEqual(null, SherryLayout.init(1 << 40, 1 << 40, .tensor, 0, .f32));
    try std.testing.expectEqual(null, SherryLayout.init(std.math.maxInt(usize), 4, .tensor, 0, .f32));
    try std.testing.expectEqual(null, SherryLayout.init(8, 6, .tensor, 0, .f32));
    try std.testing.expectEqual(null, SherryLayout.init(8, 8, .group, 48, .f32));
    try std.testing.expectEqual(null, Q8Layout.init(1 << 40, 1 << 40));
}

test "strided columns: four neighbours lie 16 apart, and each original column is held once" {
    var seen: [192]bool = @splat(false);
    for (0..192) |column| {
        const original = originalColumn(column);
        // stq1_0: packed column 4 * (16 * chunk + r) + p is original column chunk * 64 + r + 16 * p.
        const group = column / 4;
        try std.testing.expectEqual(group / 16 * 64 + group % 16 + 16 * (column % 4), original);
        try std.testing.expect(!seen[original]);
        seen[original] = true;
    }
}
