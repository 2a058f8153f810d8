//! The arithmetic of a `split8` tensor: an int8 matrix kept as two planes of nibbles, so that a language model's head can
//! score all rows by the high nibbles alone. A weight w within +-120 is stored as v = w + 120 + d = 16 * high + low with d
//! the column's dither, a fixed random number of 0..15. docs/head.md says why, docs/format.md says the same in prose.
//!
//! Legend: R rows (out_features), K columns (in_features).
const std = @import("std");
const roundUp = @import("../format.zig").roundUp;

/// Columns of 32 bytes of a `split8` plane; K is padded to a multiple of it.
pub const chunk_columns = 64;
pub const chunk_bytes = chunk_columns / 2;
/// A `split8` weight lies within +-120, so that with an offset of 120 and a dither of 0..15 it fills a byte exactly.
pub const magnitude_max = 120;
/// Where the dither's generator starts: "SHERRY_8" in ASCII.
pub const dither_seed: u64 = 0x5348_4552_5259_5f38;
/// Columns whose dither one output of the generator holds.
pub const dither_columns = 16;

/// Where the parts of a `split8` tensor lie (docs/head.md says why): the high nibbles [R][K padded to 64, two a byte], the
/// low nibbles likewise, the row scales f32 [R]; low nibbles and scales start at multiples of 64.
pub const Layout = struct {
    padded_columns: usize,
    /// Bytes of one row of one plane.
    row_bytes: usize,
    low_offset: usize,
    scales_offset: usize,
    bytes: usize,

    pub fn init(rows: usize, columns: usize) ?Layout {
        if (rows == 0 or columns == 0) return null;
        const padded_columns = roundUp(columns, chunk_columns) orelse return null;
        const row_bytes = padded_columns / 2;
        const plane_bytes = std.math.mul(usize, rows, row_bytes) catch return null;
        const low_offset = roundUp(plane_bytes, 64) orelse return null;
        const scales_offset = std.math.mul(usize, low_offset, 2) catch return null;
        const scales_bytes = std.math.mul(usize, rows, @sizeOf(f32)) catch return null;
        return .{
            .padded_columns = padded_columns,
            .row_bytes = row_bytes,
            .low_offset = low_offset,
            .scales_offset = scales_offset,
            .bytes = std.math.add(usize, scales_offset, scales_bytes) catch return null,
        };
    }
};

/// Where the nibble of a column lies in a row of a plane. Half a chunk shares the low halves of 32 bytes, the other half
/// their high halves, so that one mask (and one shift) leaves 32 neighbouring columns in order.
pub inline fn nibblePlace(column: usize) struct { byte: usize, shift: u3 } {
    const within = column % chunk_columns;
    return .{
        .byte = column / chunk_columns * chunk_bytes + within % chunk_bytes,
        .shift = if (within < chunk_bytes) 0 else 4,
    };
}

/// The dither (0..15) of columns 16 * index .. 16 * index + 15, column 16 * index + i in bits 4i .. 4i + 3: output number
/// `index` of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) started at the seed. Any column's is had without the others'.
pub inline fn dithersOf(index: usize) u64 {
    var mixed = dither_seed +% (@as(u64, index) +% 1) *% 0x9e37_79b9_7f4a_7c15;
    mixed = (mixed ^ (mixed >> 30)) *% 0xbf58_476d_1ce4_e5b9;
    mixed = (mixed ^ (mixed >> 27)) *% 0x94d0_49bb_1331_11eb;
    return mixed ^ (mixed >> 31);
}

/// The dither (0..15) of one column.
pub inline fn ditherOf(column: usize) u4 {
    const shift: u6 = @intCast(column % dither_columns * 4);
    return @truncate(dithersOf(column / dither_columns) >> shift);
}

test "parts at multiples of 64, sizes that would overflow, every nibble once, the dither's first values" {
    const layout = Layout.init(3, 100).?;
    try std.testing.expectEqual(128, layout.padded_columns);
    try std.testing.expectEqual(64, layout.row_bytes);
    try std.testing.expectEqual(192, layout.low_offset);
    try std.testing.expectEqual(384, layout.scales_offset);
    try std.testing.expectEqual(396, layout.bytes);
    try std.testing.expectEqual(128, Layout.init(3, 64).?.low_offset);
    try std.testing.expectEqual(null, Layout.init(0, 64));
    try std.testing.expectEqual(null, Layout.init(64, 0));
    try std.testing.expectEqual(null, Layout.init(1 << 40, 1 << 40));
    try std.testing.expectEqual(null, Layout.init(1 << 62, 4));
    try std.testing.expectEqual(null, Layout.init(1, std.math.maxInt(usize)));

    var seen: [128][2]bool = @splat(@splat(false));
    for (0..256) |column| {
        const place = nibblePlace(column);
        const half = place.shift / 4;
        try std.testing.expect(!seen[place.byte][half]);
        seen[place.byte][half] = true;
    }

    // Computed apart, with Python's integers; the same numbers stand in docs/format.md.
    const first = [_]u4{ 10, 7, 4, 6, 3, 8, 14, 2, 1, 8, 10, 14, 8, 3, 12, 1, 6, 10, 12, 8 };
    for (first, 0..) |expected, column| try std.testing.expectEqual(expected, ditherOf(column));
}
