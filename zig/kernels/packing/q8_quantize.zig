//! Rows to the values and scales of a `q8` tensor: int8, one f16 scale for 32 columns (format.Q8Layout).
//!
//! The scale is the smallest f16 that is not below (largest magnitude of the group) / 127, so that no value leaves
//! -127..127 and every weight is met within half a scale; a value is weight / scale to the nearest integer, halves away
//! from zero. A group of zeros has scale 0. A group whose scale would be past f16's range is the answer instead.
//!
//! Legend: R rows, K columns, P columns padded to 32.
const std = @import("std");
const format = @import("../../format.zig");
const halves = @import("halves.zig");
const statistics = @import("statistics.zig");

const group_columns = format.q8_group_columns;

const Group = @Vector(group_columns, f32);
const GroupIntegers = @Vector(group_columns, i32);

/// `weights` f32 [R][K], finite, to `values` [R][P] (padding 0) and `scales` [R][P / 32], the bits of f16; adds what is
/// lost to `total`. Null when every scale fits f16, else the index of the first weight of the group that does not.
pub fn run(
    weights: []const f32,
    columns: usize,
    padded_columns: usize,
    values: []i8,
    scales: []u16,
    total: *statistics.Statistics,
) ?usize {
    var lanes = statistics.Lanes{};
    const rows = weights.len / columns;
    const groups = padded_columns / group_columns;
    for (0..rows) |row| for (0..groups) |group| {
        const begin = group * group_columns;
        const length = @min(group_columns, columns - begin);
        // Zeros after the row's end become the padding, and lose nothing.
        var padded: [group_columns]f32 = @splat(0);
        @memcpy(padded[0..length], weights[row * columns + begin ..][0..length]);
        const scale = scaleOf(padded) orelse return row * columns + begin;
        scales[row * groups + group] = scale.half;
        // A group of zeros stays one whatever it is divided by.
        const divisor: Group = @splat(if (scale.value == 0) 1 else scale.value);
        const rounded = roundAwayFromZero(padded / divisor);
        values[row * padded_columns + begin ..][0..group_columns].* = @as(@Vector(group_columns, i8), @truncate(rounded));
        const stored: [group_columns]f32 = @as(Group, @floatFromInt(rounded)) * divisor;
        lanes.addSlice(&padded, &stored);
    };
    lanes.addTo(total);
    return null;
}

const Scale = struct { half: u16, value: f32 };

fn scaleOf(weights: Group) ?Scale {
    const exact = @reduce(.Max, @abs(weights)) / 127;
    const narrowed = halves.narrow(@splat(exact));
    var half = narrowed.halves[0];
    // The pattern of the next f16 of a positive one is the next integer, up to infinity's.
    if (narrowed.values[0] < exact) half += 1;
    const value = halves.widen(@splat(half))[0];
    return if (std.math.isFinite(value)) .{ .half = half, .value = value } else null;
}

/// To the nearest integer, halves away from zero, for quotients of at most 127 in magnitude. The cut-off part is exact, so unlike
/// adding one half first this cannot round twice; and unlike @round it is no call on CPUs without SSE4.1.
pub inline fn roundAwayFromZero(quotients: Group) GroupIntegers {
    const whole: GroupIntegers = @intFromFloat(quotients);
    const rest = quotients - @as(Group, @floatFromInt(whole));
    const half: Group = @splat(0.5);
    return whole + @as(GroupIntegers, @intFromBool(rest >= half)) - @as(GroupIntegers, @intFromBool(rest <= -half));
}

test "rounding agrees with the language's own" {
    var quotient: f32 = -127;
    while (quotient <= 127) : (quotient += 0.0625) {
        for ([_]f32{ -std.math.inf(f32), quotient, std.math.inf(f32) }) |direction| {
            const number = std.math.nextAfter(f32, quotient, direction);
            try std.testing.expectEqual(@as(i32, @intFromFloat(@round(number))), roundAwayFromZero(@splat(number))[0]);
        }
    }
}

test "values within half a scale, from tiny to huge weights, odd sizes, padding zero" {
    var random = std.Random.DefaultPrng.init(20260109);
    for ([_]usize{ 1, 31, 32, 33, 172 }) |columns| for ([_]f32{ 1e-38, 1e-7, 1e-4, 0.02, 1, 1e6 }) |magnitude| {
        const rows = 3;
        const padded_columns = format.roundUp(columns, group_columns).?;
        var weights: [rows * 172]f32 = undefined;
        var values: [rows * 192]i8 = undefined;
        var scales: [rows * 6]u16 = undefined;
        const used = weights[0 .. rows * columns];
        for (used) |*weight| weight.* = (random.random().float(f32) - 0.5) * magnitude;
        var total = statistics.Statistics{};
        const used_values = values[0 .. rows * padded_columns];
        try std.testing.expectEqual(null, run(used, columns, padded_columns, used_values, &scales, &total));
        var squared_error: f64 = 0;
        for (used_values, 0..) |value, index| {
            const row = index / padded_columns;
            const column = index % padded_columns;
            if (column >= columns) {
                try std.testing.expectEqual(0, value);
                continue;
            }
            const scale: f32 = @as(f16, @bitCast(scales[row * (padded_columns / group_columns) + column / group_columns]));
            const weight = used[row * columns + column];
            const difference = @as(f64, weight) - @as(f32, @floatFromInt(value)) * scale;
            // The quotient is rounded once before it is rounded to an integer, hence the hair beyond one half.
            try std.testing.expect(@abs(difference) <= scale * 0.50001);
            squared_error += difference * difference;
        }
        try std.testing.expectApproxEqRel(squared_error, total.squared_error, 1e-9);
    };
}

test "halves go away from zero, zeros keep scale 0, and a scale past f16 is named" {
    var values: [64]i8 = undefined;
    var scales: [2]u16 = undefined;
    var total = statistics.Statistics{};
    var weights: [64]f32 = @splat(0);
    weights[0] = 127;
    weights[1] = 2.5;
    weights[2] = -2.5;
    weights[3] = -127;
    try std.testing.expectEqual(null, run(&weights, 64, 64, &values, &scales, &total));
    try std.testing.expectEqualSlices(i8, &.{ 127, 3, -3, -127, 0 }, values[0..5]);
    try std.testing.expectEqualSlices(u16, &.{ @bitCast(@as(f16, 1)), 0 }, &scales);
    weights[40] = 65504 * 127;
    try std.testing.expectEqual(null, run(&weights, 64, 64, &values, &scales, &total));
    weights[40] = 65505 * 127;
    try std.testing.expectEqual(32, run(&weights, 64, 64, &values, &scales, &total));
}
