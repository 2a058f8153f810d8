//! The memory that head_candidates.zig computes in: where each part lies, for how many tokens and rows.
//!
//! Legend: B tokens, R rows, K columns, N = ceil(K / 256) activation blocks, k the most rows that a token asks for.
const std = @import("std");
const format = @import("../../format.zig");
const prepared = @import("../prepared.zig");
const token_sums = @import("../split8_token.zig");
const Rotation = @import("../split8_rotation.zig").Rotation;
const top_rows = @import("../top_rows.zig");
const upper = @import("../split8_upper.zig");

/// Few rows may always be rescored one by one: below this a full pass saves nothing.
const rescored_rows_min = 1024;

/// Rows that the first threshold lets through at least, for a token that asks for `count`: with fewer the second rescoring
/// grows, with more the first.
pub fn wantedRows(rows: usize, count: usize) usize {
    return @min(rows, count + count / 2 + 7);
}

/// As many times as many for the coarse pass: its scores are further from the logits.
pub const coarse_wanted_factor = 4;

/// Offsets in bytes, each a multiple of 64.
pub const Scratch = struct {
    /// Rows of a token that are rescored one by one at most.
    limit: usize,
    /// Rows that a token's heap holds.
    wanted: usize,
    /// [B][N]
    corrections_offset: usize,
    /// f32 [B]
    offsets_offset: usize,
    /// f32 [B][R]
    scores_offset: usize,
    /// f32 [B][ceil(R / 64)]
    tile_maxima_offset: usize,
    /// u32 [B][limit]
    list_offset: usize,
    /// f32 [B][limit]
    exact_offset: usize,
    /// Row [B][wanted]
    heap_offset: usize,
    /// f32 [P], the activations of one token rotated for the coarse pass; empty where the columns are too many for it.
    rotated_offset: usize,
    /// The same as int8, laid out by prepared.Layout.init(1, P).
    rotated_prepared_offset: usize,
    bytes: usize,

    /// Null when a size is zero, k is above R, an id would not fit u32 or a product overflows.
    pub fn init(rows: usize, columns: usize, tokens: usize, count: usize) ?Scratch {
        if (count == 0 or count > rows or rows > std.math.maxInt(u32)) return null;
        const blocks = (prepared.Layout.init(tokens, columns) orelse return null).blocks;
        const wanted = @min(rows, coarse_wanted_factor * wantedRows(rows, count));
        const rotated_columns = if (Rotation.init(columns)) |rotation| rotation.padded_columns else 0;
        const rotated_bytes = if (prepared.Layout.init(1, rotated_columns)) |layout| layout.bytes else 0;
        const limit = @min(rows, @max(rescored_rows_min, rows / 4, wanted));
        const token_bytes = [_]usize{
            std.math.mul(usize, blocks, @sizeOf(token_sums.Correction)) catch return null,
            @sizeOf(f32),
            rows * @sizeOf(f32),
            upper.tileCount(rows) * @sizeOf(f32),
            limit * @sizeOf(u32),
            limit * @sizeOf(f32),
            wanted * @sizeOf(top_rows.Row),
        };
        var offsets: [token_bytes.len + 1]usize = undefined;
        offsets[0] = 0;
        for (token_bytes, 0..) |one, i| {
            const all = std.math.mul(usize, one, tokens) catch return null;
            const end = std.math.add(usize, offsets[i], all) catch return null;
            offsets[i + 1] = format.roundUp(end, 64) orelse return null;
        }
        const rotated_offset = offsets[token_bytes.len];
        const rotated_prepared_offset = std.math.add(usize, rotated_offset, rotated_columns * @sizeOf(f32)) catch return null;
        return .{
            .limit = limit,
            .wanted = wanted,
            .corrections_offset = offsets[0],
            .offsets_offset = offsets[1],
            .scores_offset = offsets[2],
            .tile_maxima_offset = offsets[3],
            .list_offset = offsets[4],
            .exact_offset = offsets[5],
            .heap_offset = offsets[6],
            .rotated_offset = rotated_offset,
            .rotated_prepared_offset = rotated_prepared_offset,
            .bytes = std.math.add(usize, rotated_prepared_offset, rotated_bytes) catch return null,
        };
    }
};

test "the parts follow one another; sizes that make no sense have none" {
    for ([_]usize{ 1, 63, 64, 1000, 128256 }) |rows| for ([_]usize{ 1, 40, 256 }) |count| for ([_]usize{ 1, 3, 16 }) |tokens| {
        if (count > rows) continue;
        const scratch = Scratch.init(rows, 300, tokens, count).?;
        try std.testing.expect(scratch.wanted >= count and scratch.wanted <= rows and scratch.limit >= scratch.wanted);
        try std.testing.expect(scratch.limit <= rows);
        try std.testing.expect(scratch.offsets_offset >= tokens * 2 * 32);
        try std.testing.expect(scratch.scores_offset >= scratch.offsets_offset + tokens * 4);
        try std.testing.expect(scratch.tile_maxima_offset >= scratch.scores_offset + tokens * rows * 4);
        try std.testing.expect(scratch.list_offset >= scratch.tile_maxima_offset + tokens * upper.tileCount(rows) * 4);
        try std.testing.expect(scratch.exact_offset >= scratch.list_offset + tokens * scratch.limit * 4);
        try std.testing.expect(scratch.heap_offset >= scratch.exact_offset + tokens * scratch.limit * 4);
        try std.testing.expect(scratch.bytes >= scratch.heap_offset + tokens * scratch.wanted * 8);
    };
    try std.testing.expectEqual(null, Scratch.init(10, 64, 1, 0));
    try std.testing.expectEqual(null, Scratch.init(10, 64, 1, 11));
    try std.testing.expectEqual(null, Scratch.init(10, 0, 1, 1));
    try std.testing.expectEqual(null, Scratch.init(10, 64, 0, 1));
    try std.testing.expectEqual(null, Scratch.init(1 << 33, 64, 1, 1));
    try std.testing.expectEqual(null, Scratch.init(1 << 31, 64, 1 << 40, 1));
}
