//! The arithmetic of `int4` tensors: four bits a weight and one f16 scale for 32 columns of a row, 4.5 bits a weight;
//! weight = scale * (nibble - 8). Eight rows lie side by side, four columns of each in 32 bytes, so that a vector of
//! products needs no sum across its lanes: every lane is a row of its own.
//!
//! Legend: R rows (out_features), K columns (in_features), T tiles of eight rows, G groups of 32 columns.
const std = @import("std");
const format = @import("../format.zig");

/// Columns that share one scale.
pub const group_columns = 32;
/// Rows whose codes lie side by side. R is padded to a multiple of it.
pub const tile_rows = 8;
/// The codes of a tile's group: four vectors.
pub const chunk_bytes = 128;
pub const chunk_vectors = chunk_bytes / format.vector_bytes;
/// A nibble stands for nibble - offset.
pub const offset = 8;

comptime {
    std.debug.assert(chunk_bytes * 2 == tile_rows * group_columns);
}

/// Where the parts lie, in bytes from the tensor's start: codes [T][G][128], then (always at a multiple of 64) f16 scales
/// [T][G][8].
pub const Layout = struct {
    tiles: usize,
    groups: usize,
    scales_offset: usize,
    bytes: usize,

    /// Null when a size is zero or a product overflows.
    pub fn init(rows: usize, columns: usize) ?Layout {
        if (rows == 0 or columns == 0) return null;
        const tiles = (format.roundUp(rows, tile_rows) orelse return null) / tile_rows;
        const groups = (format.roundUp(columns, group_columns) orelse return null) / group_columns;
        const chunks = std.math.mul(usize, tiles, groups) catch return null;
        const codes_bytes = std.math.mul(usize, chunks, chunk_bytes) catch return null;
        return .{
            .tiles = tiles,
            .groups = groups,
            .scales_offset = codes_bytes,
            .bytes = std.math.add(usize, codes_bytes, chunks * tile_rows * 2) catch return null,
        };
    }

    /// Where the scale of a row's group lies among the scales, counted in scales.
    pub inline fn scaleIndex(self: Layout, row: usize, group: usize) usize {
        return (row / tile_rows * self.groups + group) * tile_rows + row % tile_rows;
    }
};

pub const Place = struct { byte: usize, shift: u3 };

/// Where the nibble of a tile's row (0..7) and a group's column (0..31) lies in their chunk. Vector v (0..3) holds the eight
/// rows' columns 4 v .. 4 v + 3 in its low nibbles and their columns 16 + 4 v .. 16 + 4 v + 3 in its high ones.
pub inline fn placeOf(row: usize, column: usize) Place {
    const within = column % (group_columns / 2);
    return .{
        .byte = within / 4 * format.vector_bytes + row * 4 + within % 4,
        .shift = if (column < group_columns / 2) 0 else 4,
    };
}

/// The value (-8..7) of a row (0..7) and a column (0..31) of a chunk.
pub inline fn value(chunk: *const [chunk_bytes]u8, row: usize, column: usize) i8 {
    const place = placeOf(row, column);
    return @as(i8, @intCast(chunk[place.byte] >> place.shift & 15)) - offset;
}

test "a chunk's nibbles fill its bytes, each once" {
    var seen: [chunk_bytes][2]bool = @splat(@splat(false));
    for (0..tile_rows) |row| for (0..group_columns) |column| {
        const place = placeOf(row, column);
        try std.testing.expect(!seen[place.byte][place.shift / 4]);
        seen[place.byte][place.shift / 4] = true;
        var chunk: [chunk_bytes]u8 = @splat(0x88);
        chunk[place.byte] ^= @as(u8, 9) << place.shift;
        try std.testing.expectEqual(-7, value(&chunk, row, column));
    };
}

test "layout sizes, and products that would overflow" {
    const layout = Layout.init(9, 33).?;
    try std.testing.expectEqual(Layout{ .tiles = 2, .groups = 2, .scales_offset = 512, .bytes = 512 + 64 }, layout);
    try std.testing.expectEqual(16 + 8 + 0, layout.scaleIndex(8, 1));
    try std.testing.expectEqual(8 + 7, layout.scaleIndex(7, 1));
    try std.testing.expectEqual(null, Layout.init(1, 0));
    try std.testing.expectEqual(null, Layout.init(0, 1));
    try std.testing.expectEqual(null, Layout.init(1 << 40, 1 << 40));
}
