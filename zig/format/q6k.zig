//! The arithmetic of `q6k` tensors: the numbers of GGUF's Q6_K blocks (ggml-common.h, block_q6_K), in an order that AVX2
//! unpacks with fewer instructions. A block is 256 columns of a row: 256 six-bit codes, sixteen int8 sub-scales (one for 16
//! columns) and one f16 scale; weight = scale * sub-scale * (code - 32). 210 bytes, as in GGUF: 6.5625 bits a weight.
//!
//! Legend: R rows (out_features), K columns (in_features), N = K / 256 blocks of a row.
const std = @import("std");
const format = @import("../format.zig");

pub const block_columns = 256;
/// Columns that share a sub-scale.
pub const sub_columns = 16;
pub const sub_scales = block_columns / sub_columns;
/// The codes of a block: two halves of 128 columns, three vectors each.
pub const codes_bytes = 192;
pub const half_columns = 128;
pub const half_bytes = codes_bytes / 2;
/// A code stands for code - offset.
pub const offset = 32;

comptime {
    std.debug.assert(codes_bytes * 8 == block_columns * 6);
    std.debug.assert(codes_bytes + sub_scales + 2 == 210);
    std.debug.assert(block_columns == format.activation_block_columns);
}

/// Where the parts lie, in bytes from the tensor's start, each at a multiple of 64: codes [R][N][192], int8 sub-scales
/// [R][N][16], f16 scales [R][N].
pub const Layout = struct {
    /// N
    blocks: usize,
    sub_scales_offset: usize,
    scales_offset: usize,
    bytes: usize,

    /// Null when a size is zero, K is no multiple of 256 or a product overflows.
    pub fn init(rows: usize, columns: usize) ?Layout {
        if (rows == 0 or columns == 0 or columns % block_columns != 0) return null;
        const blocks = columns / block_columns;
        const cells = std.math.mul(usize, rows, blocks) catch return null;
        const all_codes_bytes = std.math.mul(usize, cells, codes_bytes) catch return null;
        const sub_scales_end = std.math.add(usize, all_codes_bytes, cells * sub_scales) catch return null;
        const scales_offset = format.roundUp(sub_scales_end, 64) orelse return null;
        return .{
            .blocks = blocks,
            .sub_scales_offset = all_codes_bytes,
            .scales_offset = scales_offset,
            .bytes = std.math.add(usize, scales_offset, cells * 2) catch return null,
        };
    }
};

/// The code (0..63) of a block's column (0..255). Byte i of vector m (0..2) of a half holds in its low six bits the code of
/// the half's column 32 m + i, and in its upper two bits the bits 2 m and 2 m + 1 of the code of column 96 + i.
pub inline fn code(codes: *const [codes_bytes]u8, column: usize) u8 {
    const vectors = codes[column / half_columns * half_bytes ..][0..half_bytes];
    const within = column % half_columns;
    if (within < half_bytes) return vectors[within] & 63;
    const byte = within - half_bytes;
    return vectors[byte] >> 6 | vectors[32 + byte] >> 6 << 2 | vectors[64 + byte] >> 6 << 4;
}

/// Where the sub-scale of a block's columns 16 * number .. 16 * number + 15 lies among the block's sixteen: those of even
/// numbers first, so that one widening puts each into the half of a vector where its columns are.
pub inline fn subScalePlace(number: usize) usize {
    return number % 2 * (sub_scales / 2) + number / 2;
}

test "each bit of a code is one bit of its block, and no bit serves twice" {
    var random = std.Random.DefaultPrng.init(0x96c);
    var codes: [codes_bytes]u8 = undefined;
    random.random().bytes(&codes);
    var uses: [codes_bytes * 8]usize = @splat(0);
    for (0..block_columns) |column| {
        const before = code(&codes, column);
        var changed: u8 = 0;
        for (&codes, 0..) |*byte, index| for (0..8) |place| {
            const bit = @as(u8, 1) << @intCast(place);
            byte.* ^= bit;
            const change = code(&codes, column) ^ before;
            byte.* ^= bit;
            try std.testing.expect(@popCount(change) <= 1);
            uses[index * 8 + place] += @popCount(change);
            changed |= change;
        };
        try std.testing.expectEqual(63, changed);
    }
    try std.testing.expect(std.mem.allEqual(usize, &uses, 1));
}

test "every sub-scale has a place" {
    var seen: [sub_scales]bool = @splat(false);
    for (0..sub_scales) |number| seen[subScalePlace(number)] = true;
    try std.testing.expect(std.mem.allEqual(bool, &seen, true));
}

test "layout sizes, and products that would overflow" {
    try std.testing.expectEqual(Layout{
        .blocks = 2,
        .sub_scales_offset = 3 * 2 * 192,
        .scales_offset = 3 * 2 * 192 + 128,
        .bytes = 3 * 2 * 192 + 128 + 3 * 2 * 2,
    }, Layout.init(3, 512).?);
    try std.testing.expectEqual(null, Layout.init(3, 500));
    try std.testing.expectEqual(null, Layout.init(0, 256));
    try std.testing.expectEqual(null, Layout.init(3, 0));
    try std.testing.expectEqual(null, Layout.init(1 << 40, 1 << 40));
}
