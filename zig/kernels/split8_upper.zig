//! Upper scores of the rows of a `split8` tensor, all or those of a list, from the high nibbles alone: half the bytes of the
//! exact logits, read once for all tokens. docs/head.md says how sure "upper" is.
//!
//! For row r, with H(b, j) the exact integer sums of high nibble times activation over the columns of block b that belong
//! to lane j (split8_token.zig), lane j becomes fma(f32(H), s[b], lane j) in the order of the blocks, the lanes fold (lanes.zig)
//! to F, and the score is
//!   u = row_scale * (F * 16 + offset)
//! each operation, the fused multiplication and addition (fma) too, rounded once; `offset` is the token's,
//! split8_token.upperOffset's. The same bits from every implementation.
//!
//! The tile maximum of 64 rows is their largest score (+0 for either zero), or NaN when a score of the tile is not finite.
//!
//! Unit of work: one tile of 64 rows (entries of the list) for all tokens; the last may be short.
//!
//! Legend: B tokens, R rows, K columns.
const std = @import("std");
const format = @import("../format.zig");
const token_sums = @import("split8_token.zig");

pub const tile_rows = 64;

pub const Arguments = extern struct {
    /// As format.split8.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64.
    prepared: [*]align(64) const u8,
    tokens: usize,
    /// f32 [B]
    offsets: [*]const f32,
    /// u32 [count], each below `rows`; null: all rows, count = rows.
    list: ?[*]const u32,
    /// Scores of one token.
    count: usize,
    /// f32 [B][count]
    scores: [*]f32,
    /// f32 [B][ceil(count / 64)]
    tile_maxima: [*]f32,

    pub inline fn rowOf(self: *const Arguments, index: usize) usize {
        return if (self.list) |list| list[index] else index;
    }
};

/// Tiles of `rows` rows.
pub fn tileCount(rows: usize) usize {
    return (rows - 1) / tile_rows + 1;
}

const testing = @import("testing.zig");
const TestWeights = @import("split8_linear.zig").TestWeights;
const scalar = @import("split8_upper/scalar.zig");
const avx2 = if (testing.has_avx2) @import("split8_upper/avx2.zig") else scalar;

const Case = struct {
    weights: TestWeights,
    activations: token_sums.TestActivations,
    offsets: [tokens_max]f32,
    scores: testing.Guarded(f32),
    tile_maxima: testing.Guarded(f32),

    const tokens_max = 16;

    fn init(random: std.Random, rows: usize, columns: usize, tokens: usize, extreme: bool) !Case {
        var offsets: [tokens_max]f32 = undefined;
        for (&offsets) |*offset| offset.* = random.floatNorm(f32) * 100;
        return .{
            .weights = try TestWeights.init(random, rows, columns, extreme),
            .activations = try token_sums.TestActivations.init(random, tokens, columns, extreme),
            .offsets = offsets,
            .scores = try testing.Guarded(f32).init(tokens * rows),
            .tile_maxima = try testing.Guarded(f32).init(tokens * tileCount(rows)),
        };
    }

    fn deinit(self: Case) void {
        self.weights.deinit();
        self.activations.deinit();
        self.scores.deinit();
        self.tile_maxima.deinit();
    }

    fn compute(self: Case, random: std.Random, run: *const @import("kernel.zig").Run) !void {
        const arguments = Arguments{
            .weights = self.weights.bytes.items.ptr,
            .rows = self.weights.rows,
            .columns = self.weights.columns,
            .prepared = self.activations.bytes.items.ptr,
            .tokens = self.activations.tokens,
            .offsets = &self.offsets,
            .list = null,
            .count = self.weights.rows,
            .scores = self.scores.items.ptr,
            .tile_maxima = self.tile_maxima.items.ptr,
        };
        testing.runCut(random, run, &arguments, tileCount(self.weights.rows));
        try self.scores.expectGuards();
        try self.tile_maxima.expectGuards();
    }

    /// Rows of a list, some twice, get the scores that they have among all rows.
    fn expectLists(self: Case, random: std.Random, comptime variant: type) !void {
        var list: [70]u32 = undefined;
        for (&list) |*row| row.* = random.uintLessThan(u32, @intCast(self.weights.rows));
        for ([_]usize{ 1, 8, 13, list.len }) |count| inline for (.{ scalar, variant }) |either| {
            const scores = try testing.Guarded(f32).init(self.activations.tokens * count);
            defer scores.deinit();
            const tile_maxima = try testing.Guarded(f32).init(self.activations.tokens * tileCount(count));
            defer tile_maxima.deinit();
            const arguments = Arguments{
                .weights = self.weights.bytes.items.ptr,
                .rows = self.weights.rows,
                .columns = self.weights.columns,
                .prepared = self.activations.bytes.items.ptr,
                .tokens = self.activations.tokens,
                .offsets = &self.offsets,
                .list = &list,
                .count = count,
                .scores = scores.items.ptr,
                .tile_maxima = tile_maxima.items.ptr,
            };
            testing.runCut(random, &either.run, &arguments, tileCount(count));
            for (0..self.activations.tokens) |token| for (list[0..count], 0..) |row, index| {
                const expected = self.scores.items[token * self.weights.rows + row];
                try testing.expectSame(f32, &.{expected}, scores.items[token * count + index ..][0..1]);
            };
            try scores.expectGuards();
            try tile_maxima.expectGuards();
        };
    }

    /// The contract in f64: a term is rounded once, a lane once for each block, the fold three times, then three more.
    fn expectContract(self: Case) !void {
        const rows = self.weights.rows;
        for (0..self.activations.tokens) |token| {
            const offset = self.offsets[token];
            const scores = self.scores.items[token * rows ..][0..rows];
            for (scores, 0..) |score, row| {
                var exact: f64 = 0;
                var magnitude: f64 = @abs(offset);
                for (0..self.weights.columns) |column| {
                    const x = self.activations.valueAt(token, column);
                    const product: f64 = @floatFromInt(16 * self.weights.high(row, column) * x);
                    const term = product * self.activations.scaleAt(token, column);
                    exact += term;
                    magnitude += @abs(term);
                }
                const row_scale: f64 = self.weights.rowScale(row);
                const roundings: f64 = @floatFromInt(self.activations.layout.blocks + 6);
                errdefer std.debug.print("token {d} row {d}\n", .{ token, row });
                try testing.expectNear((exact + offset) * row_scale, score, roundings * 0x1p-24 * magnitude * row_scale);
            }
            for (0..tileCount(rows)) |tile| {
                const first = tile * tile_rows;
                const end = @min(first + tile_rows, rows);
                const maximum = self.tile_maxima.items[token * tileCount(rows) + tile];
                try std.testing.expectEqual(std.mem.max(f32, scores[first..end]), maximum);
            }
        }
    }
};

test "split8 upper: scalar near float64, AVX2 its bits, tiles cut anywhere, one token as among others" {
    try expectVariant(avx2);
}

pub fn expectVariant(comptime variant: type) !void {
    var source = std.Random.DefaultPrng.init(0x5c1);
    const random = source.random();
    const column_counts = [_]usize{ 1, 31, 64, 65, 255, 256, 257, 288, 800 };
    for (column_counts) |columns| for ([_]usize{ 1, 5, 8, 63, 64, 65, 204 }) |rows| for ([_]usize{ 1, 2, 3, 4, 5, 8, 11, 16 }) |tokens| {
        // Every count of tokens with some sizes, one and five with all.
        if (tokens != 1 and tokens != 5 and (columns + rows) % 3 != 0) continue;
        for ([_]bool{ false, true }) |extreme| {
            errdefer std.debug.print("K {d} R {d} B {d} extreme {}\n", .{ columns, rows, tokens, extreme });
            const case = try Case.init(random, rows, columns, tokens, extreme);
            defer case.deinit();
            try case.compute(random, &variant.run);
            const scores = try std.testing.allocator.dupe(f32, case.scores.items);
            defer std.testing.allocator.free(scores);
            const tile_maxima = try std.testing.allocator.dupe(f32, case.tile_maxima.items);
            defer std.testing.allocator.free(tile_maxima);
            try case.compute(random, &scalar.run);
            try case.expectContract();
            try testing.expectSame(f32, case.scores.items, scores);
            try testing.expectSame(f32, case.tile_maxima.items, tile_maxima);
            try case.expectLists(random, variant);
        }
    };
}

test "split8 upper: a score that is not finite makes its tile's maximum NaN and no other's; zeros of both signs" {
    try expectMaxima(scalar);
    try expectMaxima(avx2);
}

pub fn expectMaxima(comptime variant: type) !void {
    var source = std.Random.DefaultPrng.init(0x5c2);
    const random = source.random();
    for ([_]usize{ 0, 7, 63, 64, 100, 129 }) |row| for ([_]f32{ std.math.nan(f32), std.math.inf(f32) }) |bad| {
        const case = try Case.init(random, 130, 64, 2, false);
        defer case.deinit();
        const row_scales: [*]f32 = @ptrCast(@alignCast(case.weights.bytes.items[case.weights.layout.scales_offset..].ptr));
        row_scales[row] = bad;
        try case.compute(random, &variant.run);
        for (case.tile_maxima.items, 0..) |maximum, index| {
            try std.testing.expectEqual(index % 3 == row / tile_rows, std.math.isNan(maximum));
        }
    };
    var zeros = try Case.init(random, 70, 64, 1, false);
    defer zeros.deinit();
    @memset(zeros.weights.bytes.items, 0);
    for ([_]f32{ -0.0, -1 }) |offset| {
        zeros.offsets[0] = offset;
        try zeros.compute(random, &variant.run);
        try testing.expectSame(f32, &.{ 0, 0 }, zeros.tile_maxima.items);
    }
}
