//! Rows to the planes and scales of a `split8` tensor (format/split8.zig): int8 within +-120, one f32 scale a row.
//!
//! The scale is the smallest f32 that is not below (largest magnitude of the row) / 120, so that no value leaves +-120; a
//! value is weight / scale to the nearest integer, halves away from zero. A row of zeros has scale 0. The dither plays no
//! part in the values: the head's proof needs that.
//!
//! Legend: R rows, K columns, P columns padded to 64.
const std = @import("std");
const format = @import("../../format.zig");
const statistics = @import("statistics.zig");

const split8 = format.split8;
const chunk_columns = split8.chunk_columns;
const half_columns = chunk_columns / 2;

const Chunk = [chunk_columns]f32;

/// `weights` f32 [R][K], finite, to the planes `high` and `low` [R][P / 2] (padding 0) and `scales` f32 [R]; adds what is
/// lost to `total`. The largest f32 gets a scale whose 120-fold is still finite (tested), so every row has one.
pub fn run(
    weights: []const f32,
    columns: usize,
    high: []u8,
    low: []u8,
    scales: []f32,
    total: *statistics.Statistics,
) void {
    var lanes = statistics.Lanes{};
    const row_bytes = high.len / scales.len;
    for (scales, 0..) |*scale, row| {
        const row_weights = weights[row * columns ..][0..columns];
        scale.* = scaleOf(row_weights);
        for (0..row_bytes / split8.chunk_bytes) |chunk| {
            const first = chunk * chunk_columns;
            const length = @min(chunk_columns, columns - first);
            var stored: Chunk = undefined;
            const bytes = encodeChunk(row_weights[first..][0..length], scale.*, first, stored[0..length]);
            const place = row * row_bytes + chunk * split8.chunk_bytes;
            high[place..][0..split8.chunk_bytes].* = bytes.high;
            low[place..][0..split8.chunk_bytes].* = bytes.low;
            lanes.addSlice(row_weights[first..][0..length], stored[0..length]);
        }
    }
    lanes.addTo(total);
}

fn scaleOf(weights: []const f32) f32 {
    var largest: f32 = 0;
    for (weights) |weight| largest = @max(largest, @abs(weight));
    const exact = @as(f64, largest) / split8.magnitude_max;
    const nearest: f32 = @floatCast(exact);
    return if (nearest < exact) std.math.nextAfter(f32, nearest, std.math.inf(f32)) else nearest;
}

/// The bytes of up to 64 weights from column `first` on, and what they stand for.
fn encodeChunk(
    weights: []const f32,
    scale: f32,
    first: usize,
    stored: []f32,
) struct { high: [split8.chunk_bytes]u8, low: [split8.chunk_bytes]u8 } {
    var high: [split8.chunk_bytes]u8 = @splat(0);
    var low: [split8.chunk_bytes]u8 = @splat(0);
    // A row of zeros stays one whatever it is divided by.
    const divisor = if (scale == 0) 1 else scale;
    for (weights, stored, 0..) |weight, *stands_for, within| {
        const value = roundAwayFromZero(weight / divisor);
        stands_for.* = @as(f32, @floatFromInt(value)) * divisor;
        const code: u8 = @intCast(value + split8.magnitude_max + split8.ditherOf(first + within));
        const place = split8.nibblePlace(within);
        high[place.byte] |= code >> 4 << place.shift;
        low[place.byte] |= (code & 15) << place.shift;
    }
    return .{ .high = high, .low = low };
}

/// To the nearest integer, halves away from zero, for quotients of at most 120; the cut-off part is exact.
inline fn roundAwayFromZero(quotient: f32) i32 {
    const whole: i32 = @intFromFloat(quotient);
    const rest = quotient - @as(f32, @floatFromInt(whole));
    return whole + @intFromBool(rest >= 0.5) - @intFromBool(rest <= -0.5);
}

fn weightAt(high: []const u8, low: []const u8, row_bytes: usize, row: usize, column: usize) i32 {
    const place = split8.nibblePlace(column);
    const byte = row * row_bytes + place.byte;
    const code = @as(i32, high[byte] >> place.shift & 15) * 16 + (low[byte] >> place.shift & 15);
    return code - split8.magnitude_max - split8.ditherOf(column);
}

test "values within half a scale, from subnormal to huge weights, odd sizes, padding zero" {
    var source = std.Random.DefaultPrng.init(20260123);
    const random = source.random();
    const rows = 3;
    for ([_]usize{ 1, 31, 32, 33, 63, 64, 65, 172 }) |columns| for ([_]f32{ 1e-44, 1e-38, 1e-4, 1, 3e38 }) |magnitude| {
        errdefer std.debug.print("columns {d}, magnitude {e}\n", .{ columns, magnitude });
        const row_bytes = split8.Layout.init(rows, columns).?.row_bytes;
        var weights: [rows * 172]f32 = undefined;
        var planes: [2][rows * 96]u8 = undefined;
        var scales: [rows]f32 = undefined;
        const used = weights[0 .. rows * columns];
        for (used) |*weight| weight.* = (random.float(f32) - 0.5) * magnitude;
        const high = planes[0][0 .. rows * row_bytes];
        const low = planes[1][0 .. rows * row_bytes];
        var total = statistics.Statistics{};
        run(used, columns, high, low, &scales, &total);
        var error_max: f64 = 0;
        for (0..rows) |row| {
            for (0..columns) |column| {
                const value = weightAt(high, low, row_bytes, row, column);
                try std.testing.expect(@abs(value) <= split8.magnitude_max);
                const weight = used[row * columns + column];
                const difference = @abs(@as(f64, weight) - @as(f32, @floatFromInt(value)) * scales[row]);
                // The quotient is rounded once before it is rounded to an integer, hence the hair beyond one half.
                try std.testing.expect(difference <= scales[row] * 0.50001);
                error_max = @max(error_max, difference);
            }
            for (columns..row_bytes * 2) |column| {
                const place = split8.nibblePlace(column);
                try std.testing.expectEqual(0, high[row * row_bytes + place.byte] >> place.shift & 15);
                try std.testing.expectEqual(0, low[row * row_bytes + place.byte] >> place.shift & 15);
            }
        }
        try std.testing.expectEqual(error_max, total.error_max);
    };
}

test "halves go away from zero, zeros keep scale 0, and the largest f32 fits" {
    var high: [2 * 32]u8 = undefined;
    var low: [2 * 32]u8 = undefined;
    var scales: [2]f32 = undefined;
    var total = statistics.Statistics{};
    var weights: [2 * 64]f32 = @splat(0);
    weights[0] = 120;
    weights[1] = 2.5;
    weights[2] = -2.5;
    weights[3] = -120;
    run(&weights, 64, &high, &low, &scales, &total);
    try std.testing.expectEqualSlices(f32, &.{ 1, 0 }, &scales);
    for ([_]i32{ 120, 3, -3, -120, 0 }, 0..) |value, column| {
        try std.testing.expectEqual(value, weightAt(&high, &low, 32, 0, column));
        try std.testing.expectEqual(0, weightAt(&high, &low, 32, 1, column));
    }
    weights[70] = -std.math.floatMax(f32);
    run(&weights, 64, &high, &low, &scales, &total);
    try std.testing.expectEqual(-120, weightAt(&high, &low, 32, 1, 6));
    try std.testing.expect(std.math.isFinite(scales[1] * 120));
}
