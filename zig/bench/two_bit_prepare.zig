//! The 2-bit baseline's activations: f32 to int8, one scale for the whole token, halves to even, and the sum of the
//! values. One source for every level: the vectors are as wide as the level's registers allow.
//!
//! Unit of work: the token.
const std = @import("std");
const two_bit = @import("two_bit.zig");

pub const Arguments = extern struct {
    /// f32 [K], finite.
    x: [*]const f32,
    columns: usize,
    /// Laid out by two_bit.Prepared.init(columns), aligned to 64.
    prepared: [*]align(64) u8,
};

const width = 8;
const Floats = @Vector(width, f32);
/// Added to a number of magnitude below 2^22 it leaves the nearest integer, halves to even, in the low bits.
const rounder: f32 = 0x1.8p23;

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    if (begin == end) return;
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const layout = two_bit.Prepared.init(a.columns).?;
    const whole = a.columns / width * width;
    const largest = largestMagnitude(a.x, a.columns, whole);
    // A scale below the smallest normal number would make its inverse infinite; such a token is zeros.
    const is_zero = largest < 0x1p-119;
    const inverse: f32 = if (is_zero) 0 else two_bit.activation_max / largest;
    const values: [*]i8 = @ptrCast(a.prepared);
    var sums: @Vector(width, i32) = @splat(0);
    var column: usize = 0;
    while (column < whole) : (column += width) {
        const x: Floats = a.x[column..][0..width].*;
        const rounded = toInteger(x * @as(Floats, @splat(inverse)));
        values[column..][0..width].* = @as(@Vector(width, i8), @truncate(rounded));
        sums +%= rounded;
    }
    var sum = @reduce(.Add, sums);
    while (column < a.columns) : (column += 1) {
        const rounded = toInteger(@as(Floats, @splat(a.x[column] * inverse)))[0];
        values[column] = @intCast(rounded);
        sum += rounded;
    }
    @memset(a.prepared[column..layout.head_offset], 0);
    const head: *two_bit.Prepared.Head = @ptrCast(@alignCast(a.prepared + layout.head_offset));
    head.* = .{ .scale = if (is_zero) 0 else largest / two_bit.activation_max, .sum = sum };
}

fn largestMagnitude(x: [*]const f32, columns: usize, whole: usize) f32 {
    var largest: Floats = @splat(0);
    var column: usize = 0;
    while (column < whole) : (column += width) {
        const magnitudes = @abs(@as(Floats, x[column..][0..width].*));
        largest = @select(f32, magnitudes > largest, magnitudes, largest);
    }
    var result = @reduce(.Max, largest);
    for (x[whole..columns]) |value| result = @max(result, @abs(value));
    return result;
}

inline fn toInteger(x: Floats) @Vector(width, i32) {
    const shifted: @Vector(width, i32) = @bitCast(x + @as(Floats, @splat(rounder)));
    return shifted -% @as(@Vector(width, i32), @splat(@bitCast(rounder)));
}

test "values are the nearest integers, the padding is zero and the sum is theirs" {
    const allocator = std.testing.allocator;
    var generator = std.Random.DefaultPrng.init(0xbe7c_0002);
    for ([_]usize{ 1, 7, 8, 9, 128, 131, 2048 }) |columns| for ([_]f32{ 0, 0x1p-130, 1, 0x1p100 }) |magnitude| {
        const x = try allocator.alloc(f32, columns);
        defer allocator.free(x);
        for (x) |*value| value.* = generator.random().floatNorm(f32) * magnitude;
        const layout = two_bit.Prepared.init(columns).?;
        const prepared = try allocator.alignedAlloc(u8, .@"64", layout.bytes);
        defer allocator.free(prepared);
        run(&Arguments{ .x = x.ptr, .columns = columns, .prepared = prepared.ptr }, 0, 1);
        const head: *const two_bit.Prepared.Head = @ptrCast(@alignCast(prepared.ptr + layout.head_offset));
        var sum: i32 = 0;
        for (prepared[0..layout.head_offset], 0..) |byte, column| {
            const value: i8 = @bitCast(byte);
            sum += value;
            if (column >= columns or head.scale == 0) {
                try std.testing.expectEqual(0, value);
            } else {
                // The inverse and the product round once each, so a value may pass a half by that much.
                const exact = @as(f64, x[column]) / head.scale;
                try std.testing.expect(@abs(exact - @as(f64, @floatFromInt(value))) < 0.5001);
            }
        }
        try std.testing.expectEqual(sum, head.sum);
        try std.testing.expectEqual(magnitude < 0x1p-119, head.scale == 0);
    };
}
