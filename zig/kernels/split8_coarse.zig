//! Scores of all rows of a `split8` head from a coarse plane: two bits a weight in rotated columns (split8_rotation.zig),
//! made from the head itself by split8_coarse_build.zig, half the bytes of the high nibbles. docs/head.md, "A coarser first
//! pass", says what the gains are and how far a score is to be trusted.
//!
//! For row r, with codes c of 0..3 and int8 rotated activations x with one scale s a block, S(b, j) the exact integer sum of
//! c x over the columns of block b that belong to lane j (split8_token.zig): lane j adds f32(S) * s[b] in the order of the
//! blocks, the lanes fold (lanes.zig) to F, and the score is
//!   u = (F + offset) * gain[r] + spread * residual[r]
//! each operation rounded on its own. The same bits from every implementation. Tile maxima as in split8_upper.zig.
//!
//! Unit of work: one tile of 64 rows; the last may be short.
//!
//! Legend: R rows, K columns, P columns padded to whole activation blocks, N = P / 256.
const std = @import("std");
const format = @import("../format.zig");
const lanes = @import("lanes.zig");
const prepared = @import("prepared.zig");
const token_sums = @import("split8_token.zig");
const upper = @import("split8_upper.zig");
const Rotation = @import("split8_rotation.zig").Rotation;

/// Rows whose bytes lie interleaved, a cache line of each by turns, so that computing them together reads one stream.
pub const rows_together = 4;
/// Bytes of one activation block of one row: four codes a byte.
pub const block_bytes = format.activation_block_columns / 4;
pub const vector_columns = 128;

comptime {
    if (block_bytes != 64) @compileError("a block of codes must be a cache line");
}

/// Where the parts lie, each at a multiple of 64: codes [ceil(R / 4)][N][4 rows][64 bytes], gains f32 [R], residuals f32 [R].
/// Column 128 v + 32 f + i of a block (v 0..1, f 0..3, i 0..31) is in bits 2f, 2f + 1 of byte 32 v + i.
pub const Layout = struct {
    blocks: usize,
    gains_offset: usize,
    residuals_offset: usize,
    bytes: usize,

    pub fn init(rows: usize, columns: usize) ?Layout {
        const rotation = Rotation.init(columns) orelse return null;
        if (rows == 0) return null;
        const blocks = rotation.padded_columns / format.activation_block_columns;
        const padded_rows = format.roundUp(rows, rows_together) orelse return null;
        const row_bytes = std.math.mul(usize, blocks, block_bytes) catch return null;
        const gains_offset = std.math.mul(usize, padded_rows, row_bytes) catch return null;
        const factors_bytes = format.roundUp(std.math.mul(usize, rows, @sizeOf(f32)) catch return null, 64) orelse return null;
        const residuals_offset = std.math.add(usize, gains_offset, factors_bytes) catch return null;
        return .{
            .blocks = blocks,
            .gains_offset = gains_offset,
            .residuals_offset = residuals_offset,
            .bytes = std.math.add(usize, residuals_offset, factors_bytes) catch return null,
        };
    }

    /// Where block `block` of row `row` starts.
    pub inline fn blockOffset(self: Layout, row: usize, block: usize) usize {
        return ((row / rows_together * self.blocks + block) * rows_together + row % rows_together) * block_bytes;
    }
};

/// Where the code of a column of a block lies in the block's bytes.
pub inline fn codePlace(column: usize) struct { byte: usize, shift: u3 } {
    return .{ .byte = column / vector_columns * 32 + column % 32, .shift = @intCast(column % vector_columns / 32 * 2) };
}

pub const Arguments = extern struct {
    /// As `Layout` lays it out, aligned to 64.
    coarse: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// One token's rotated activations, laid out by prepared.Layout.init(1, P), aligned to 64.
    prepared: [*]align(64) const u8,
    offset: f32,
    spread: f32,
    /// f32 [R]
    scores: [*]f32,
    /// f32 [ceil(R / 64)]
    tile_maxima: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("split8_coarse/scalar.zig");
const avx2 = if (testing.has_avx2) @import("split8_coarse/avx2.zig") else scalar;

const Case = struct {
    rows: usize,
    columns: usize,
    layout: Layout,
    coarse: testing.Guarded(u8),
    activations: token_sums.TestActivations,
    scores: testing.Guarded(f32),
    tile_maxima: testing.Guarded(f32),

    const offset = -3.25;
    const spread = 0.75;

    /// Random codes and factors. Extreme: all codes 3 and all activations 127.
    fn init(random: std.Random, rows: usize, columns: usize, extreme: bool) !Case {
        const layout = Layout.init(rows, columns).?;
        const coarse = try testing.Guarded(u8).init(layout.bytes);
        random.bytes(coarse.items[0..layout.gains_offset]);
        if (extreme) @memset(coarse.items[0..layout.gains_offset], 0xff);
        testing.fillElements(random, .f32, @alignCast(coarse.items[layout.gains_offset..]));
        const padded_columns = Rotation.init(columns).?.padded_columns;
        return .{
            .rows = rows,
            .columns = columns,
            .layout = layout,
            .coarse = coarse,
            .activations = try token_sums.TestActivations.init(random, 1, padded_columns, extreme),
            .scores = try testing.Guarded(f32).init(rows),
            .tile_maxima = try testing.Guarded(f32).init(upper.tileCount(rows)),
        };
    }

    fn deinit(self: Case) void {
        self.coarse.deinit();
        self.activations.deinit();
        self.scores.deinit();
        self.tile_maxima.deinit();
    }

    fn factors(self: Case, part_offset: usize) []f32 {
        const items: [*]f32 = @ptrCast(@alignCast(self.coarse.items[part_offset..].ptr));
        return items[0..self.rows];
    }

    fn compute(self: Case, random: std.Random, run: *const @import("kernel.zig").Run) !void {
        const arguments = Arguments{
            .coarse = self.coarse.items.ptr,
            .rows = self.rows,
            .columns = self.columns,
            .prepared = self.activations.bytes.items.ptr,
            .offset = offset,
            .spread = spread,
            .scores = self.scores.items.ptr,
            .tile_maxima = self.tile_maxima.items.ptr,
        };
        testing.runCut(random, run, &arguments, upper.tileCount(self.rows));
        try self.scores.expectGuards();
        try self.tile_maxima.expectGuards();
    }

    /// The contract in f64: two roundings a block, three for the fold, four at the end.
    fn expectContract(self: Case) !void {
        for (self.scores.items, 0..) |score, row| {
            var exact: f64 = 0;
            var magnitude: f64 = @abs(offset);
            for (0..self.layout.blocks * 256) |column| {
                const place = codePlace(column % 256);
                const code = self.coarse.items[self.layout.blockOffset(row, column / 256) + place.byte] >> place.shift & 3;
                const product: f64 = @floatFromInt(@as(i32, code) * self.activations.valueAt(0, column));
                const term = product * self.activations.scaleAt(0, column);
                exact += term;
                magnitude += @abs(term);
            }
            const gain: f64 = self.factors(self.layout.gains_offset)[row];
            const added = spread * @as(f64, self.factors(self.layout.residuals_offset)[row]);
            const roundings: f64 = @floatFromInt(self.layout.blocks + 8);
            errdefer std.debug.print("row {d}\n", .{row});
            const tolerance = roundings * 0x1p-24 * (magnitude * @abs(gain) + @abs(added));
            try testing.expectNear((exact + offset) * gain + added, score, tolerance);
        }
        for (self.tile_maxima.items, 0..) |maximum, tile| {
            const first = tile * upper.tile_rows;
            const end = @min(first + upper.tile_rows, self.rows);
            try std.testing.expectEqual(std.mem.max(f32, self.scores.items[first..end]), maximum);
        }
    }
};

test "split8 coarse: scalar near float64, every variant its bits, tiles cut anywhere" {
    var source = std.Random.DefaultPrng.init(0x5c5);
    const random = source.random();
    for ([_]usize{ 1, 255, 256, 257, 800 }) |columns| for ([_]usize{ 1, 3, 4, 5, 8, 63, 64, 65, 206 }) |rows| {
        for ([_]bool{ false, true }) |extreme| {
            errdefer std.debug.print("K {d} R {d} extreme {}\n", .{ columns, rows, extreme });
            const case = try Case.init(random, rows, columns, extreme);
            defer case.deinit();
            try case.compute(random, &avx2.run);
            const scores = try std.testing.allocator.dupe(f32, case.scores.items);
            defer std.testing.allocator.free(scores);
            const tile_maxima = try std.testing.allocator.dupe(f32, case.tile_maxima.items);
            defer std.testing.allocator.free(tile_maxima);
            try case.compute(random, &scalar.run);
            try case.expectContract();
            try testing.expectSame(f32, case.scores.items, scores);
            try testing.expectSame(f32, case.tile_maxima.items, tile_maxima);
        }
    };
}

test "split8 coarse: a score that is not finite makes its tile's maximum NaN and no other's" {
    var source = std.Random.DefaultPrng.init(0x5c6);
    const random = source.random();
    for ([_]usize{ 0, 7, 63, 64, 100, 129 }) |row| for ([_]f32{ std.math.nan(f32), std.math.inf(f32) }) |bad| {
        const case = try Case.init(random, 130, 64, false);
        defer case.deinit();
        case.factors(case.layout.residuals_offset)[row] = bad;
        inline for (.{ scalar, avx2 }) |variant| {
            try case.compute(random, &variant.run);
            for (case.tile_maxima.items, 0..) |maximum, tile| {
                try std.testing.expectEqual(tile == row / upper.tile_rows, std.math.isNan(maximum));
            }
        }
    };
}

test "layout: parts follow one another, every code once, sizes that make no sense have none" {
    for ([_]usize{ 1, 3, 4, 65 }) |rows| for ([_]usize{ 1, 256, 700 }) |columns| {
        const layout = Layout.init(rows, columns).?;
        try std.testing.expect(layout.gains_offset >= layout.blockOffset(rows - 1, layout.blocks - 1) + block_bytes);
        try std.testing.expect(layout.residuals_offset >= layout.gains_offset + rows * 4);
        try std.testing.expect(layout.bytes >= layout.residuals_offset + rows * 4);
        for ([_]usize{ layout.gains_offset, layout.residuals_offset, layout.bytes }) |offset| {
            try std.testing.expectEqual(0, offset % 64);
        }
    };
    var seen: [256]bool = @splat(false);
    for (0..256) |column| {
        const place = codePlace(column);
        const bit = place.byte * 4 + place.shift / 2;
        try std.testing.expect(!seen[bit]);
        seen[bit] = true;
    }
    try std.testing.expectEqual(null, Layout.init(0, 64));
    try std.testing.expectEqual(null, Layout.init(64, 0));
    try std.testing.expectEqual(null, Layout.init(std.math.maxInt(usize), 64));
    try std.testing.expectEqual(null, Layout.init(1 << 62, 16384));
}
