//! Y = X W^T for a `split8` tensor (int8 in two planes of nibbles, one scale a row) times int8 activations (one scale
//! per 256 columns): all rows, or the rows of a list.
//!
//! Result, the same bits from every implementation. For a row and an activation block b the exact integer sums
//!   S(b, j) = sum of w x over the columns of the block that belong to lane j
//! (split8_token.zig) go to the eight lanes in the order of the blocks, each as f32(S) * s[b] with s the activation
//! scale, a multiply and a separate add; the lanes fold (lanes.zig), and the fold times the row's scale is the logit.
//! |S| stays below 2^24, so f32(S) is exact. This is what an int8 product with these weights, activations and scales
//! gives; the planes only decide how w is stored.
//!
//! Unit of work: one row (one entry of the list), for all tokens.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("prepared.zig");
const token_sums = @import("split8_token.zig");

pub const Arguments = extern struct {
    /// As format.split8.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(prepared_tokens, columns), aligned to 64.
    prepared: [*]align(64) const u8,
    prepared_tokens: usize,
    /// [prepared_tokens][N], of these activations (split8_token.correct).
    corrections: [*]const token_sums.Correction,
    /// The tokens to compute: B of the prepared ones from this one on.
    first_token: usize = 0,
    tokens: usize,
    /// u32 [count], each below `rows`; null: all rows, count = rows.
    list: ?[*]const u32,
    /// Outputs of one token.
    count: usize,
    /// f32 [B][count]
    y: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("split8_linear/scalar.zig");
const avx2 = if (testing.has_avx2) @import("split8_linear/avx2.zig") else scalar;

/// A tensor with random planes (padding too: nothing may depend on it) and finite row scales.
pub const TestWeights = struct {
    layout: format.split8.Layout,
    rows: usize,
    columns: usize,
    bytes: testing.Guarded(u8),

    pub fn init(random: std.Random, rows: usize, columns: usize, extreme: bool) !TestWeights {
        const layout = format.split8.Layout.init(rows, columns).?;
        const bytes = try testing.Guarded(u8).init(layout.bytes);
        random.bytes(bytes.items[0..layout.scales_offset]);
        if (extreme) @memset(bytes.items[0..layout.scales_offset], 0xff);
        const row_scales: [*]f32 = @ptrCast(@alignCast(bytes.items[layout.scales_offset..].ptr));
        for (row_scales[0..rows]) |*scale| scale.* = @exp(random.floatNorm(f32)) / 120;
        return .{ .layout = layout, .rows = rows, .columns = columns, .bytes = bytes };
    }

    /// Normal weights, quantized without knowing the dither, as a packer's are.
    pub fn initNormal(random: std.Random, rows: usize, columns: usize) !TestWeights {
        const result = try init(random, rows, columns, false);
        for (0..rows) |row| for (0..columns) |column| {
            const normal = std.math.clamp(random.floatNorm(f32) * 35, -120, 120);
            result.setWeight(row, column, @intFromFloat(normal));
        };
        return result;
    }

    pub fn setWeight(self: TestWeights, row: usize, column: usize, value: i32) void {
        const stored: u8 = @intCast(value + 120 + format.split8.ditherOf(column));
        const place = format.split8.nibblePlace(column);
        const high_byte = &self.bytes.items[row * self.layout.row_bytes + place.byte];
        const low_byte = &self.bytes.items[self.layout.low_offset + row * self.layout.row_bytes + place.byte];
        const kept = ~(@as(u8, 15) << place.shift);
        high_byte.* = high_byte.* & kept | stored >> 4 << place.shift;
        low_byte.* = low_byte.* & kept | (stored & 15) << place.shift;
    }

    pub fn deinit(self: TestWeights) void {
        self.bytes.deinit();
    }

    pub fn rowScale(self: TestWeights, row: usize) f32 {
        const row_scales: [*]const f32 = @ptrCast(@alignCast(self.bytes.items[self.layout.scales_offset..].ptr));
        return row_scales[row];
    }

    /// The high nibble of a stored value.
    pub fn high(self: TestWeights, row: usize, column: usize) i32 {
        const place = format.split8.nibblePlace(column);
        return self.bytes.items[row * self.layout.row_bytes + place.byte] >> place.shift & 15;
    }

    /// The weight itself, before the row's scale.
    pub fn weight(self: TestWeights, row: usize, column: usize) i32 {
        const place = format.split8.nibblePlace(column);
        const low = self.bytes.items[self.layout.low_offset + row * self.layout.row_bytes + place.byte] >> place.shift & 15;
        return self.high(row, column) * 16 + low - 120 - format.split8.ditherOf(column);
    }
};

/// Integer sums are exact; a term is rounded once, a lane once for each block, the fold three times, the product once.
fn expectLogit(weights: TestWeights, x: token_sums.TestActivations, row: usize, token: usize, received: f32) !void {
    var exact: f64 = 0;
    var magnitude: f64 = 0;
    for (0..weights.columns) |column| {
        const product = weights.weight(row, column) * x.valueAt(token, column);
        const term = @as(f64, @floatFromInt(product)) * x.scaleAt(token, column);
        exact += term;
        magnitude += @abs(term);
    }
    const row_scale: f64 = weights.rowScale(row);
    const roundings: f64 = @floatFromInt(x.layout.blocks + 5);
    errdefer std.debug.print("row {d}, token {d}\n", .{ row, token });
    try testing.expectNear(exact * row_scale, received, roundings * 0x1p-24 * magnitude * row_scale);
}

test "split8 linear: scalar near float64, every variant its bits, all rows and lists of rows" {
    var source = std.Random.DefaultPrng.init(0x5b1);
    const random = source.random();
    const list = [_]u32{ 8, 0, 3, 3, 5, 1, 7 };
    const rows = 9;
    const token_counts = [_]usize{ 1, 2, 3, 9 };
    for ([_]usize{ 1, 31, 32, 63, 64, 65, 100, 255, 256, 257, 288, 512, 800 }) |columns| for (token_counts) |tokens| {
        for ([_]bool{ false, true }) |extreme| for ([_]?[*]const u32{ null, &list }) |chosen| {
            errdefer std.debug.print("K {d} B {d} extreme {} list {}\n", .{ columns, tokens, extreme, chosen != null });
            const weights = try TestWeights.init(random, rows, columns, extreme);
            defer weights.deinit();
            const activations = try token_sums.TestActivations.init(random, tokens, columns, extreme);
            defer activations.deinit();
            const count = if (chosen == null) rows else list.len;
            const expected = try testing.Guarded(f32).init(tokens * count);
            defer expected.deinit();
            const actual = try testing.Guarded(f32).init(tokens * count);
            defer actual.deinit();
            var arguments = Arguments{
                .weights = weights.bytes.items.ptr,
                .rows = rows,
                .columns = columns,
                .prepared = activations.bytes.items.ptr,
                .prepared_tokens = tokens,
                .corrections = activations.corrections.items.ptr,
                .tokens = tokens,
                .list = chosen,
                .count = count,
                .y = expected.items.ptr,
            };
            testing.runCut(random, &scalar.run, &arguments, count);
            for (0..tokens) |token| for (0..count) |index| {
                const row = if (chosen) |entries| entries[index] else index;
                try expectLogit(weights, activations, row, token, expected.items[token * count + index]);
            };
            arguments.y = actual.items.ptr;
            testing.runCut(random, &avx2.run, &arguments, count);
            try testing.expectSame(f32, expected.items, actual.items);
            try actual.expectGuards();
            // The last token alone, out of all prepared ones.
            arguments.first_token = tokens - 1;
            arguments.tokens = 1;
            inline for (.{ scalar, avx2 }) |variant| {
                testing.runCut(random, &variant.run, &arguments, count);
                try testing.expectSame(f32, expected.items[(tokens - 1) * count ..], actual.items[0..count]);
            }
        };
    };
}

test "split8 linear: a block whose activation scale is NaN makes that token's outputs NaN, no other's" {
    var source = std.Random.DefaultPrng.init(0x5b2);
    for ([_]usize{ 40, 300, 512 }) |columns| {
        const weights = try TestWeights.init(source.random(), 5, columns, false);
        defer weights.deinit();
        const activations = try token_sums.TestActivations.init(source.random(), 3, columns, false);
        defer activations.deinit();
        const scales: [*]f32 = @ptrCast(@alignCast(activations.bytes.items[activations.layout.scales_offset..].ptr));
        scales[2 * activations.layout.blocks - 1] = std.math.nan(f32);
        inline for (.{ scalar, avx2 }) |variant| {
            var y: [15]f32 = undefined;
            variant.run(&Arguments{
                .weights = weights.bytes.items.ptr,
                .rows = 5,
                .columns = columns,
                .prepared = activations.bytes.items.ptr,
                .prepared_tokens = 3,
                .corrections = activations.corrections.items.ptr,
                .tokens = 3,
                .list = null,
                .count = 5,
                .y = &y,
            }, 0, 5);
            for (y, 0..) |value, index| try std.testing.expectEqual(index / 5 == 1, std.math.isNan(value));
        }
    }
}
