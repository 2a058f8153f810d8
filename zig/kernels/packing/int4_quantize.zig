//! Rows to the codes and scales of an `int4` tensor: four bits a weight, one f16 scale for 32 columns (format.int4).
//!
//! Of eight scales, m / 7, m / 7.25 ... m / 8.75 (m: the group's largest magnitude; each rounded to f32, then to the nearest
//! f16, but never to zero), the one with the least squared error is taken, the first of equals: a scale below m / 7 cuts the
//! largest weights off and meets all others more closely. On normal weights that leaves a relative error of 0.0866 where m / 7
//! alone leaves 0.0970; eight times as many scales would leave 0.0860. A value is weight / scale to the nearest integer,
//! halves away from zero, within -8..7. The squared error is summed in f32 in the eight lanes of lanes.zig. A group of zeros
//! has scale 0. A group none of whose scales fits f16 is the answer instead.
//!
//! Legend: R rows, K columns, T tiles of eight rows, G groups of 32 columns.
const std = @import("std");
const format = @import("../../format.zig");
const halves = @import("halves.zig");
const lanes = @import("../lanes.zig");
const roundAwayFromZero = @import("q8_quantize.zig").roundAwayFromZero;
const statistics = @import("statistics.zig");

const int4 = format.int4;
const group_columns = int4.group_columns;
const candidates = 8;
const value_min = -int4.offset;
const value_max = int4.offset - 1;

const Group = @Vector(group_columns, f32);
const GroupIntegers = @Vector(group_columns, i32);

/// `weights` f32 [R][K], finite, to `codes` [T][G][128] and `scales` [T][G][8], the bits of f16, padding zero in both; adds
/// what is lost to `total`. Null when every scale fits f16, else the index of the first weight of the group that does not.
pub fn run(
    weights: []const f32,
    columns: usize,
    codes: []u8,
    scales: []u16,
    total: *statistics.Statistics,
) ?usize {
    var lost = statistics.Lanes{};
    @memset(codes, 0);
    @memset(scales, 0);
    const rows = weights.len / columns;
    const layout = int4.Layout.init(rows, columns).?;
    for (0..rows) |row| for (0..layout.groups) |group| {
        const begin = group * group_columns;
        const length = @min(group_columns, columns - begin);
        // Zeros after the row's end change no scale and lose nothing; their codes are the padding's, not a zero's.
        var padded: [group_columns]f32 = @splat(0);
        @memcpy(padded[0..length], weights[row * columns + begin ..][0..length]);
        const best = chooseScale(padded) orelse return row * columns + begin;
        scales[layout.scaleIndex(row, group)] = best.half;
        const chunk = codes[(row / int4.tile_rows * layout.groups + group) * int4.chunk_bytes ..][0..int4.chunk_bytes];
        const values: [group_columns]i32 = best.values;
        for (values[0..length], 0..) |value, column| {
            const place = int4.placeOf(row % int4.tile_rows, column);
            chunk[place.byte] |= @as(u8, @intCast(value + int4.offset)) << place.shift;
        }
        const stored: [group_columns]f32 = @as(Group, @floatFromInt(best.values)) * @as(Group, @splat(best.scale));
        lost.addSlice(&padded, &stored);
    };
    lost.addTo(total);
    return null;
}

const Choice = struct { half: u16, scale: f32, values: GroupIntegers };

fn chooseScale(weights: Group) ?Choice {
    const largest = @reduce(.Max, @abs(weights));
    if (largest == 0) return .{ .half = 0, .scale = 0, .values = @splat(0) };
    const steps: @Vector(candidates, f32) = .{ 0, 1, 2, 3, 4, 5, 6, 7 };
    const divisors = @as(@Vector(candidates, f32), @splat(value_max)) + steps * @as(@Vector(candidates, f32), @splat(0.25));
    const narrowed = halves.narrow(@as(@Vector(candidates, f32), @splat(largest)) / divisors);
    // The smallest f16 above zero has the pattern 1.
    const patterns: [candidates]u16 = @max(narrowed.halves, @as(@Vector(candidates, u16), @splat(1)));
    const numbers: [candidates]f32 = halves.widen(patterns);
    var best: ?Choice = null;
    var least: f32 = undefined;
    for (patterns, numbers) |half, scale| {
        if (!std.math.isFinite(scale)) continue;
        const values = roundToValues(weights, scale);
        const squared_error = squaredError(weights, values, scale);
        if (best != null and squared_error >= least) continue;
        least = squared_error;
        best = .{ .half = half, .scale = scale, .values = values };
    }
    return best;
}

/// Quotients stay below 14: no scale is below two thirds of the largest magnitude / 8.75, f16's smallest numbers included.
inline fn roundToValues(weights: Group, scale: f32) GroupIntegers {
    const rounded = roundAwayFromZero(weights / @as(Group, @splat(scale)));
    return @max(@min(rounded, @as(GroupIntegers, @splat(value_max))), @as(GroupIntegers, @splat(value_min)));
}

fn squaredError(weights: Group, values: GroupIntegers, scale: f32) f32 {
    const difference = weights - @as(Group, @floatFromInt(values)) * @as(Group, @splat(scale));
    const squares: [group_columns]f32 = difference * difference;
    var sums: lanes.Lanes = @splat(0);
    for (0..group_columns / lanes.count) |part| {
        const eight: lanes.Lanes = squares[part * lanes.count ..][0..lanes.count].*;
        sums += eight;
    }
    return lanes.fold(sums);
}

fn valueAt(codes: []const u8, layout: int4.Layout, row: usize, column: usize) i8 {
    const chunk = codes[(row / int4.tile_rows * layout.groups + column / 32) * int4.chunk_bytes ..][0..int4.chunk_bytes];
    return int4.value(chunk, row % int4.tile_rows, column % 32);
}

test "no stored scale is beaten by absmax / 7, from tiny to huge weights, odd sizes, padding zero" {
    var source = std.Random.DefaultPrng.init(20260110);
    const random = source.random();
    for ([_]usize{ 1, 31, 32, 33, 172 }) |columns| for ([_]f32{ 1e-38, 1e-7, 1e-4, 0.02, 1, 1e5 }) |magnitude| {
        const rows = 11;
        const layout = int4.Layout.init(rows, columns).?;
        var weights: [rows * 172]f32 = undefined;
        var codes: [2 * 6 * int4.chunk_bytes]u8 = @splat(0xa5);
        var scales: [2 * 6 * 8]u16 = @splat(0xa5a5);
        const used = weights[0 .. rows * columns];
        for (used) |*weight| weight.* = random.floatNorm(f32) * magnitude;
        var total = statistics.Statistics{};
        const used_codes = codes[0..layout.scales_offset];
        const used_scales = scales[0 .. layout.tiles * layout.groups * 8];
        try std.testing.expectEqual(null, run(used, columns, used_codes, used_scales, &total));
        try std.testing.expect(std.mem.allEqual(u8, codes[used_codes.len..], 0xa5));
        var squared_error: f64 = 0;
        for (0..rows) |row| for (0..layout.groups) |group| {
            const scale: f32 = @as(f16, @bitCast(used_scales[layout.scaleIndex(row, group)]));
            const end = @min(columns, group * 32 + 32);
            var largest: f32 = 0;
            for (group * 32..end) |column| largest = @max(largest, @abs(used[row * columns + column]));
            const plain: f32 = @max(@as(f16, @floatCast(largest / 7)), 0x1p-24);
            var group_error: f64 = 0;
            var plain_error: f64 = 0;
            for (group * 32..end) |column| {
                const weight: f64 = used[row * columns + column];
                const difference = weight - @as(f64, @floatFromInt(valueAt(used_codes, layout, row, column))) * scale;
                const quotient = std.math.clamp(@round(weight / plain), -8, 7);
                group_error += difference * difference;
                plain_error += (weight - quotient * plain) * (weight - quotient * plain);
            }
            squared_error += group_error;
            // The choice is made by f32 sums.
            try std.testing.expect(group_error <= plain_error * 1.00001 + 1e-60);
        };
        try std.testing.expectApproxEqRel(squared_error, total.squared_error, 1e-9);
        for (0..layout.tiles * 8) |row| for (0..layout.groups * 32) |column| {
            if (row < rows and column < columns) continue;
            try std.testing.expectEqual(-8, valueAt(used_codes, layout, row, column));
            if (row >= rows) try std.testing.expectEqual(0, used_scales[layout.scaleIndex(row, column / 32)]);
        };
    };
}

test "what fits is kept exactly, zeros keep scale 0, and a scale past f16 is named" {
    var codes: [2 * int4.chunk_bytes]u8 = undefined;
    var scales: [16]u16 = undefined;
    var total = statistics.Statistics{};
    var weights: [64]f32 = @splat(0);
    for (weights[0..15], 0..) |*weight, index| weight.* = (@as(f32, @floatFromInt(index)) - 7) * 0.25;
    try std.testing.expectEqual(null, run(&weights, 64, &codes, &scales, &total));
    const layout = int4.Layout.init(1, 64).?;
    for (0..15) |column| {
        try std.testing.expectEqual(@as(i8, @intCast(column)) - 7, valueAt(&codes, layout, 0, column));
    }
    for (15..64) |column| try std.testing.expectEqual(0, valueAt(&codes, layout, 0, column));
    try std.testing.expectEqual(@as(u16, @bitCast(@as(f16, 0.25))), scales[0]);
    try std.testing.expectEqual(0, scales[8]);
    try std.testing.expectEqual(0, total.squared_error);
    // 65519 * 8.75: the last scale that rounds to 65504.
    weights[40] = 65519 * 8.75;
    try std.testing.expectEqual(null, run(&weights, 64, &codes, &scales, &total));
    try std.testing.expectEqual(0x7bff, scales[8]);
    weights[40] = 65520 * 8.75;
    try std.testing.expectEqual(32, run(&weights, 64, &codes, &scales, &total));
}
