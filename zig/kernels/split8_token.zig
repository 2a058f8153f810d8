//! What the `split8` kernels need of a token besides its prepared activations: the share of the stored values that is
//! no weight, and the constant that makes scores of the high nibbles alone upper bounds. docs/head.md derives both.
//!
//! A stored value is v = w + 120 + d = 16 * high + low, so that for int8 activations x
//!   sum(w x) = 16 sum(high x) + sum(low x) - sum((120 + d) x),
//! and the last sum, the correction, is the same for every row. All sums of a block of 256 columns are kept in eight
//! lanes, lane j of columns 4j .. 4j + 3 of every 32, because that is how vpmaddubsw and vpmaddwd leave them.
//!
//! Legend: B tokens, K columns, N = ceil(K / 256) activation blocks.
const std = @import("std");
const format = @import("../format.zig");
const lanes = @import("lanes.zig");
const prepared = @import("prepared.zig");

/// One activation block's correction, by lane.
pub const Correction = [lanes.count]i32;

const block_columns = format.activation_block_columns;

/// The lane that a column's products are added in.
pub inline fn laneOf(column: usize) usize {
    return column / 4 % lanes.count;
}

/// Corrections of B tokens whose prepared activations lie at `activations`, to `out` [B][N].
pub fn correct(activations: [*]align(64) const u8, tokens: usize, columns: usize, out: [*]Correction) void {
    const layout = prepared.Layout.init(tokens, columns).?;
    const values: [*]const i8 = @ptrCast(activations + layout.values_offset);
    for (0..layout.blocks) |block| {
        // One block's dithers serve every token.
        var offsets: [block_columns]i32 = undefined;
        for (0..block_columns / format.split8.dither_columns) |part| {
            const first = part * format.split8.dither_columns;
            var dithers = format.split8.dithersOf((block * block_columns + first) / format.split8.dither_columns);
            for (offsets[first..][0..format.split8.dither_columns]) |*offset| {
                offset.* = format.split8.magnitude_max + @as(i32, @intCast(dithers & 15));
                dithers >>= 4;
            }
        }
        for (0..tokens) |token| {
            const x = values[token * layout.padded_columns + block * block_columns ..][0..block_columns];
            var sums: Correction = @splat(0);
            for (x, offsets, 0..) |value, offset, column| sums[laneOf(column)] += offset * value;
            out[token * layout.blocks + block] = sums;
        }
    }
}

/// Variance of a nibble that takes each of 0..15 equally often: (16^2 - 1) / 12.
const nibble_variance = 21.25;
const nibble_mean = 7.5;
/// The largest margin that the rounding slack below allows for.
pub const margin_max: f32 = 64;

/// For token number `token` of `tokens`: the constant t such that row_scale * (16 * F + t), with F the scaled sum over the high nibbles, is the
/// row's logit or more, unless the low nibbles exceed their mean by `margin` standard deviations.
///
/// The slack covers every rounding of both float computations (docs/head.md, "Rounding"): 384 (N + 6) 2^-24 sum|y|, with
/// y the activations that int8 and scale stand for.
pub fn upperOffset(
    activations: [*]align(64) const u8,
    tokens: usize,
    token: usize,
    columns: usize,
    corrections: [*]const Correction,
    margin: f32,
) f32 {
    const layout = prepared.Layout.init(tokens, columns).?;
    const first_cell = token * layout.blocks;
    const values: [*]const i8 = @ptrCast(activations + layout.values_offset + token * layout.padded_columns);
    const all_scales: [*]const f32 = @ptrCast(@alignCast(activations + layout.scales_offset));
    const scales = all_scales + first_cell;
    var mean: f64 = 0;
    var squares: f64 = 0;
    var magnitudes: f64 = 0;
    for (0..layout.blocks) |block| {
        var sum: i32 = 0;
        var square_sum: i32 = 0;
        var magnitude_sum: i32 = 0;
        for (values[block * block_columns ..][0..block_columns]) |value| {
            const x: i32 = value;
            sum += x;
            square_sum += x * x;
            magnitude_sum += if (x < 0) -x else x;
        }
        var correction: i32 = 0;
        for (corrections[first_cell + block]) |lane| correction += lane;
        const scale: f64 = scales[block];
        mean += scale * (nibble_mean * @as(f64, @floatFromInt(sum)) - @as(f64, @floatFromInt(correction)));
        squares += scale * scale * @as(f64, @floatFromInt(square_sum));
        magnitudes += scale * @as(f64, @floatFromInt(magnitude_sum));
    }
    const blocks: f64 = @floatFromInt(layout.blocks);
    const slack = 384 * (blocks + 6) * 0x1p-24 * magnitudes;
    return @floatCast(mean + margin * @sqrt(nibble_variance * squares) + slack);
}

test "a nibble's mean and variance are those of 0..15" {
    var sum: f64 = 0;
    var square_sum: f64 = 0;
    for (0..16) |value| {
        sum += @floatFromInt(value);
        square_sum += @floatFromInt(value * value);
    }
    try std.testing.expectEqual(nibble_mean, sum / 16);
    try std.testing.expectEqual(nibble_variance, square_sum / 16 - nibble_mean * nibble_mean);
}

const testing = @import("testing.zig");

/// One token's prepared activations with random values, and its corrections.
pub const TestActivations = struct {
    layout: prepared.Layout,
    tokens: usize,
    columns: usize,
    bytes: testing.Guarded(u8),
    corrections: testing.Guarded(Correction),

    /// Activations within +-127 (all of them +127 or -127 when `extreme`), those past K zero, and finite scales.
    pub fn init(random: std.Random, tokens: usize, columns: usize, extreme: bool) !TestActivations {
        const layout = prepared.Layout.init(tokens, columns).?;
        const bytes = try testing.Guarded(u8).init(layout.bytes);
        errdefer bytes.deinit();
        const corrections = try testing.Guarded(Correction).init(tokens * layout.blocks);
        const scales: [*]f32 = @ptrCast(@alignCast(bytes.items[layout.scales_offset..].ptr));
        for (scales[0 .. tokens * layout.blocks]) |*scale| scale.* = @exp(random.floatNorm(f32)) / 127;
        const values: [*]i8 = @ptrCast(bytes.items[layout.values_offset..].ptr);
        for (values[0 .. tokens * layout.padded_columns], 0..) |*value, index| {
            const token = index / layout.padded_columns;
            const edge: i8 = if (token % 2 == 0) 127 else -127;
            const any = if (extreme) edge else random.intRangeAtMost(i8, -127, 127);
            value.* = if (index % layout.padded_columns < columns) any else 0;
        }
        correct(bytes.items.ptr, tokens, columns, corrections.items.ptr);
        try corrections.expectGuards();
        return .{ .layout = layout, .tokens = tokens, .columns = columns, .bytes = bytes, .corrections = corrections };
    }

    pub fn deinit(self: TestActivations) void {
        self.bytes.deinit();
        self.corrections.deinit();
    }

    pub fn valueAt(self: TestActivations, token: usize, column: usize) i8 {
        return @bitCast(self.bytes.items[self.layout.values_offset + token * self.layout.padded_columns + column]);
    }

    pub fn scaleAt(self: TestActivations, token: usize, column: usize) f32 {
        const scales: [*]const f32 = @ptrCast(@alignCast(self.bytes.items[self.layout.scales_offset..].ptr));
        return scales[token * self.layout.blocks + column / block_columns];
    }
};

test "corrections: the sums of (120 + dither) x by lane" {
    var source = std.Random.DefaultPrng.init(0x5e8);
    for ([_]usize{ 1, 31, 64, 255, 256, 300, 512 }) |columns| for ([_]usize{ 1, 3 }) |tokens| {
        const activations = try TestActivations.init(source.random(), tokens, columns, false);
        defer activations.deinit();
        for (0..tokens) |token| for (0..activations.layout.blocks) |block| {
            var expected: Correction = @splat(0);
            for (block * 256..@min(block * 256 + 256, columns)) |column| {
                const offset = 120 + @as(i32, format.split8.ditherOf(column));
                expected[column % 32 / 4] += offset * activations.valueAt(token, column);
            }
            const received = activations.corrections.items[token * activations.layout.blocks + block];
            try std.testing.expectEqual(expected, received);
        };
    };
}

test "upper offset: mean, margin and slack, each by its formula in f64" {
    var source = std.Random.DefaultPrng.init(0x5e9);
    for ([_]usize{ 1, 100, 256, 700 }) |columns| for ([_]f32{ 0, 9, 64 }) |margin| for (0..3) |token| {
        const activations = try TestActivations.init(source.random(), 3, columns, false);
        defer activations.deinit();
        var expected: f64 = 0;
        var squares: f64 = 0;
        var magnitudes: f64 = 0;
        for (0..columns) |column| {
            const value: f64 = @floatFromInt(activations.valueAt(token, column));
            const y = @as(f64, activations.scaleAt(token, column)) * value;
            const dither: f64 = @floatFromInt(format.split8.ditherOf(column));
            expected += y * (7.5 - 120 - dither);
            squares += y * y;
            magnitudes += @abs(y);
        }
        const blocks: f64 = @floatFromInt(activations.layout.blocks);
        expected += margin * @sqrt(21.25 * squares) + 384 * (blocks + 6) / 16777216 * magnitudes;
        const corrections = activations.corrections.items.ptr;
        const received = upperOffset(activations.bytes.items.ptr, 3, token, columns, corrections, margin);
        try testing.expectNear(expected, received, 0x1p-24 * (@abs(expected) + 1e-9 * magnitudes));
    };
}
