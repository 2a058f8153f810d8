//! A tile of up to 64 rows to the five-bit codes of a `sherry` tensor, in the order of format.SherryLayout, given its
//! scales: in each block of four the weight of least magnitude becomes 0 (of equal ones the first), the others become
//! +-scale by their sign. A kept weight that is +0.0 or -0.0 has no sign to keep; it gets +.
//!
//! Where the scale is 0 the codes are 0 too: the stored weights are zeros whatever the code says, and one spelling for
//! them is what makes packing the unpacked result again give the same bytes.
//!
//! Legend: R rows of the tile (1..64), K columns, G groups = K / group_columns rounded up.
const std = @import("std");
const format = @import("../../format.zig");
const statistics = @import("statistics.zig");
const leastOf = @import("group_sums.zig").leastOf;

/// The code of a block for each zero position and each set of negative weights (bit p: position p).
const code_of: [4][16]format.Code = table: {
    @setEvalBranchQuota(10_000);
    var codes: [4][16]format.Code = undefined;
    for (0..4) |zero_position| for (0..16) |negative_bits| {
        var negative: [4]bool = undefined;
        for (&negative, 0..) |*is_negative, position| is_negative.* = negative_bits >> position & 1 == 1;
        codes[zero_position][negative_bits] = format.encode(zero_position, negative);
    };
    break :table codes;
};

/// The bytes of a tile of K columns; null when K is no multiple of four or the product overflows.
pub fn tileBytes(columns: usize) ?usize {
    const layout = format.SherryLayout.init(format.tile_rows, columns, .tensor, 0, .f32) orelse return null;
    return layout.codes_bytes;
}

/// `tile` f32 [R][K] and `scales` f32 [R][G] (as stored, finite and not negative) to `codes`, tileBytes(K) long, padding
/// rows and columns zero. Adds what is lost to `total`. K and group_columns are multiples of four.
pub fn run(
    tile: []const f32,
    columns: usize,
    group_columns: usize,
    scales: []const f32,
    codes: []u8,
    total: *statistics.Statistics,
) void {
    @memset(codes, 0);
    var lanes = statistics.Lanes{};
    const rows = tile.len / columns;
    const groups = std.math.divCeil(usize, columns, group_columns) catch unreachable;
    for (0..rows) |row| {
        const weights = tile[row * columns ..][0..columns];
        for (0..groups) |group| {
            const end = @min(columns, (group + 1) * group_columns);
            encodeGroup(weights, group * group_columns, end, scales[row * groups + group], row, codes, &lanes);
        }
    }
    lanes.addTo(total);
}

inline fn encodeGroup(
    weights: []const f32,
    begin: usize,
    end: usize,
    scale: f32,
    row: usize,
    codes: []u8,
    lanes: *statistics.Lanes,
) void {
    const half = row / 32;
    const byte = format.byteOfRow(row);
    const nibble_shift: u3 = @intCast(half * 4);
    const signs_offset = format.chunk_signs_offset + half * format.vector_bytes + byte;
    var column = begin;
    while (column < end) : (column += format.block_columns) {
        const block: @Vector(4, f32) = weights[column..][0..4].*;
        const zero_position = leastOf(@abs(block));
        var stored: @Vector(4, f32) = @splat(0);
        if (scale != 0) {
            const is_negative = block < @as(@Vector(4, f32), @splat(0));
            const code = code_of[zero_position][@as(u4, @bitCast(is_negative))];
            const chunk = codes[column / format.chunk_columns * format.chunk_bytes ..][0..format.chunk_bytes];
            const block_index = column % format.chunk_columns / format.block_columns;
            chunk[block_index * format.vector_bytes + byte] |= @as(u8, code.index) << nibble_shift;
            chunk[signs_offset] |= @as(u8, code.negative) << @intCast(format.chunk_blocks - 1 - block_index);
            stored = @select(f32, is_negative, @as(@Vector(4, f32), @splat(-scale)), @as(@Vector(4, f32), @splat(scale)));
            stored = @select(f32, positions == @as(@Vector(4, u8), @splat(zero_position)), @as(@Vector(4, f32), @splat(0)), stored);
        }
        lanes.add(@floatCast(block), @floatCast(stored));
    }
}

const positions = @Vector(4, u8){ 0, 1, 2, 3 };

/// The weight at (row, column) of a tile's codes, read as docs/format.md tells a reader to: no code in common with `run`.
fn weightAt(codes: []const u8, row: usize, column: usize) i8 {
    const chunk = codes[column / 32 * 320 ..][0..320];
    const block = column % 32 / 4;
    for (0..2) |half| for (0..32) |byte| {
        if (format.rowOfByte(byte, half) != row) continue;
        const index: u4 = @truncate(chunk[block * 32 + byte] >> @intCast(4 * half));
        const negative: u1 = @truncate(chunk[256 + half * 32 + byte] >> @intCast(7 - block));
        return format.decode(.{ .index = index, .negative = negative })[column % 4];
    };
    unreachable;
}

test "all 32 codes, in every row and block of a tile, come back" {
    const columns = 64;
    var tile: [64 * columns]f32 = undefined;
    var codes: [2 * format.chunk_bytes]u8 = undefined;
    const scales: [64]f32 = @splat(0.75);
    for (0..32) |turn| {
        for (0..64) |row| for (0..columns / 4) |block| {
            const value = (row * 5 + block * 3 + turn) % 32;
            const weights = format.decode(.{ .index = @intCast(value >> 1), .negative = @intCast(value & 1) });
            for (weights, 0..) |weight, position| {
                tile[row * columns + block * 4 + position] = @as(f32, @floatFromInt(weight)) * 0.75;
            }
        };
        var total = statistics.Statistics{};
        run(&tile, columns, columns, &scales, &codes, &total);
        for (tile, 0..) |weight, index| {
            const back: f32 = @floatFromInt(weightAt(&codes, index / columns, index % columns));
            try std.testing.expectEqual(weight, back * 0.75);
        }
        try std.testing.expectEqual(0, total.squared_error);
        try std.testing.expectEqual(0.75 * 0.75 * 64.0 * columns * 0.75, total.squared_weight);
    }
}

test "ties, zeros and negative zeros; short rows and columns; a zero scale" {
    const tile = [_]f32{
        -1, 1, -1, 1, // a tie: the first becomes zero
        -0.0, -0.0, 0.0, 3, // kept zeros get a plus
        0,  0,  0,   0, //
        -2, -5, 0.5, -0.25,
    };
    const expected = [_]i8{ 0, 1, -1, 1, 0, 1, 1, 1, 0, 1, 1, 1, -1, -1, 1, 0 };
    var codes: [format.chunk_bytes]u8 = undefined;
    var total = statistics.Statistics{};
    run(&tile, 8, 8, &.{ 1, 2 }, &codes, &total);
    for (expected, 0..) |weight, index| {
        try std.testing.expectEqual(weight, weightAt(&codes, index / 8, index % 8));
    }
    // Row 0 loses 1 in its tie, 1 + 1 for kept zeros and 2 for the 3; row 1 loses 2 + 2 + 2, then 0, 3, 1.5 and 0.25.
    try std.testing.expectEqual(1 + 1 + 1 + 4 + 3 * 4 + 9 + 2.25 + 0.0625, total.squared_error);
    try std.testing.expectEqual(3, total.error_max);
    // Nothing lies outside rows 0 and 1 and blocks 0 and 1.
    for (codes, 0..) |byte, offset| {
        const in_rows = offset % 32 < 2;
        const in_blocks = offset < 64 or (offset >= 256 and offset < 288);
        if (!in_rows or !in_blocks) try std.testing.expectEqual(0, byte);
    }
    run(&tile, 8, 8, &.{ 0, 0 }, &codes, &total);
    for (codes) |byte| try std.testing.expectEqual(0, byte);
}
