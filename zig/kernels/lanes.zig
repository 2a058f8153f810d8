//! The one order of float reductions, so that every instruction set gives the same bits.
//!
//! A sum over n elements runs in eight lanes: lane i takes elements i, i + 8, i + 16 ... in order, starting at +0. The
//! remaining n % 8 elements go to lanes 0, 1, ... as if the input were padded with zeros. Then the lanes fold: (0+4, 1+5,
//! 2+6, 3+7), then (0+2, 1+3), then 0+1.
//!
//! A sum of products takes each by a fused multiplication and addition (fma), which rounds once; a level whose machine has
//! none emulates it.
//!
//! `exponential` works on f32 and on any vector of f32 with the same operations in the same order.
//!
//! "The same bits" holds for every number, zeros and infinities included. A NaN is a NaN on every level, but which of
//! several NaNs' payloads and signs survives an operation is the CPU's choice.
const std = @import("std");

pub const count = 8;
pub const Lanes = @Vector(count, f32);

/// Folds eight running sums into one.
pub inline fn fold(lanes: Lanes) f32 {
    const four = [4]f32{ lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7] };
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/// `fold` of the sums of n products that a plain loop has added up without the padding, which makes +0 of -0: that is what a
/// product of numbers too small for f32 leaves in a lane. (Sums of numbers alone are the same with the padding and without.)
pub fn foldProducts(sums: [count]f32, n: usize) f32 {
    var padded = sums;
    if (n % count != 0) for (padded[n % count ..]) |*lane| {
        lane.* += 0;
    };
    return fold(padded);
}

/// `fold` of eight sums at once: result[i] = fold(sums[i]), with the same additions, made on columns of a transposition
/// so that a fold costs three instructions rather than six.
pub inline fn foldEight(sums: [count]Lanes) Lanes {
    var fours: [4]Lanes = undefined;
    inline for (&fours, 0..) |*four, i| {
        const a = sums[i];
        const b = sums[i + 4];
        // a's four sums, then b's.
        four.* = @shuffle(f32, a, b, [8]i32{ 0, 1, 2, 3, -1, -2, -3, -4 }) +
            @shuffle(f32, a, b, [8]i32{ 4, 5, 6, 7, -5, -6, -7, -8 });
    }
    var twos: [2]Lanes = undefined;
    inline for (&twos, 0..) |*two, i| {
        const a = fours[2 * i];
        const b = fours[2 * i + 1];
        two.* = @shuffle(f32, a, b, [8]i32{ 0, 1, -1, -2, 4, 5, -5, -6 }) +
            @shuffle(f32, a, b, [8]i32{ 2, 3, -3, -4, 6, 7, -7, -8 });
    }
    return @shuffle(f32, twos[0], twos[1], [8]i32{ 0, 2, -1, -3, 4, 6, -5, -7 }) +
        @shuffle(f32, twos[0], twos[1], [8]i32{ 1, 3, -2, -4, 5, 7, -6, -8 });
}

/// The larger of two numbers, `b` when they are equal or one is NaN: one instruction, unlike @max, which has to look
/// for NaN.
pub inline fn larger(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return select(a > b, a, b);
}

/// The first `n` (1..7) elements at `x`, the other lanes zero.
pub noinline fn loadPart(x: [*]const f32, n: usize) Lanes {
    var part: [count]f32 = @splat(0);
    for (x[0..n], part[0..n]) |value, *lane| lane.* = value;
    return part;
}

// e^r = 1 + r + r^2 * (c[0] + c[1] r + ... + c[4] r^4), minimax in relative error over |r| <= ln(2) / 2 (3.2e-9 with
// these rounded coefficients; the rest of the stated error is rounding).
const coefficients = [5]f32{ 0x1.fffffcp-2, 0x1.555492p-3, 0x1.5558bcp-5, 0x1.1239c6p-7, 0x1.6a4154p-10 };
const log2_e: f32 = 1.44269504;
// ln(2) in two parts; the first has eight significant bits, so that a multiple of it up to 2^16 is exact.
const ln2_high: f32 = 0x1.62p-1;
const ln2_low: f32 = 0x1.c85fe0p-10;
// 1.5 * 2^23: adding it rounds to the nearest integer, which then stands in the low bits of the sum.
const round_shift: f32 = 0x1.8p23;
/// Below it e^x would be a subnormal number.
pub const exponential_min: f32 = -87.33654;
/// The largest x with a finite e^x.
pub const exponential_max: f32 = 88.72283;

/// e^x with a relative error of at most 1.5e-7 between `exponential_min` and `exponential_max`; 0 below (-infinity
/// included), infinity above, NaN for NaN. exponential(0) is exactly 1. `x` is f32 or a vector of f32.
///
/// Range reduction (Cody and Waite 1980): n = round(x / ln 2), r = x - n ln 2 in two steps, e^x = 2^n e^r, where 2^n is
/// added to the exponent bits. Out of range that integer addition gives garbage, which the selects replace.
pub inline fn exponential(x: anytype) @TypeOf(x) {
    const T = @TypeOf(x);
    const shifted = @mulAdd(T, x, constant(T, log2_e), constant(T, round_shift));
    const n = shifted - constant(T, round_shift);
    const r = @mulAdd(T, -n, constant(T, ln2_low), @mulAdd(T, -n, constant(T, ln2_high), x));
    var q = constant(T, coefficients[4]);
    inline for (.{ 3, 2, 1, 0 }) |i| q = @mulAdd(T, q, r, constant(T, coefficients[i]));
    const power = @mulAdd(T, q, r * r, r) + constant(T, 1);
    const Bits = if (T == f32) u32 else @Vector(@typeInfo(T).vector.len, u32);
    const exponent = @as(Bits, @bitCast(shifted)) << if (T == f32) 23 else @splat(23);
    const value: T = @bitCast(@as(Bits, @bitCast(power)) +% exponent);
    const bounded = select(x <= constant(T, exponential_max), value, x + constant(T, std.math.inf(f32)));
    return select(x < constant(T, exponential_min), constant(T, 0), bounded);
}

inline fn constant(comptime T: type, value: f32) T {
    return if (T == f32) value else @splat(value);
}

inline fn select(condition: anytype, a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    if (@TypeOf(a) == f32) return if (condition) a else b;
    return @select(f32, condition, a, b);
}

const testing = @import("testing.zig");

test "fold adds 0+4 .. 3+7, then 0+2 and 1+3, then 0+1; foldEight gives the same bits" {
    // With numbers this far apart every other order of the additions gives another result.
    const far = Lanes{ 1e8, 3, -7e7, 0.1, -1e8, 1e-3, 7e7, 5e4 };
    const a: f32 = far[0] + far[4];
    const b: f32 = far[1] + far[5];
    const c: f32 = far[2] + far[6];
    const d: f32 = far[3] + far[7];
    try std.testing.expectEqual((a + c) + (b + d), fold(far));

    var source = std.Random.DefaultPrng.init(0x1a2e5);
    const random = source.random();
    for (0..1000) |_| {
        var sums: [count]Lanes = undefined;
        for (&sums) |*lanes| {
            var values: [count]f32 = undefined;
            testing.fillFloats(random, &values);
            lanes.* = values;
        }
        var expected: [count]f32 = undefined;
        for (sums, &expected) |lanes, *sum| sum.* = fold(lanes);
        const actual: [count]f32 = foldEight(sums);
        errdefer std.debug.print("sums {any}\n", .{sums});
        try testing.expectSame(f32, &expected, &actual);
    }
}

test "foldProducts adds the padding's zeros to the lanes that have them" {
    const zeros: [count]f32 = @splat(-0.0);
    for ([_]struct { usize, f32 }{ .{ 8, -0.0 }, .{ 16, -0.0 }, .{ 7, 0 }, .{ 9, 0 }, .{ 15, 0 } }) |case| {
        try testing.expectSame(f32, &.{case[1]}, &.{foldProducts(zeros, case[0])});
    }
    try std.testing.expectEqual(36, foldProducts(.{ 1, 2, 3, 4, 5, 6, 7, 8 }, 13));
}

test "exponential: relative error over the whole range, and the same bits from f32 and vectors" {
    const points = 2_000_000;
    var x: [count]f32 = undefined;
    var worst: f64 = 0;
    var i: usize = 0;
    while (i < points) : (i += count) {
        for (&x, i..) |*value, point| {
            // Dense over the whole range; every third point near zero, where attention's and SwiGLU's inputs lie.
            const share = @as(f32, @floatFromInt(point)) / points;
            const anywhere = exponential_min + share * (exponential_max - exponential_min);
            value.* = if (point % 3 == 0) share * 4 - 2 else anywhere;
        }
        const vector: [count]f32 = exponential(@as(Lanes, x));
        for (x, vector) |value, from_vector| {
            const from_scalar = exponential(value);
            errdefer std.debug.print("x = {x}: f32 {x}, vector {x}\n", .{ value, from_scalar, from_vector });
            try testing.expectSame(f32, &.{from_scalar}, &.{from_vector});
            const exact = @exp(@as(f64, value));
            const relative = @abs(from_scalar - exact) / exact;
            worst = @max(worst, relative);
            try std.testing.expect(relative <= 1.5e-7);
        }
    }
    // A bound that is far from what is reached would not notice a lost coefficient.
    try std.testing.expect(worst > 5e-8);
}

test "exponential: special values" {
    const infinity = std.math.inf(f32);
    const cases = [_][2]f32{
        .{ 0, 1 },                          .{ -0.0, 1 },
        .{ infinity, infinity },            .{ -infinity, 0 },
        .{ 89, infinity },                  .{ std.math.floatMax(f32), infinity },
        .{ -88, 0 },                        .{ -std.math.floatMax(f32), 0 },
        .{ std.math.floatTrueMin(f32), 1 }, .{ -std.math.floatTrueMin(f32), 1 },
        .{ 1e9, infinity },                 .{ -1e9, 0 },
    };
    const above = std.math.nextAfter(f32, exponential_max, 100);
    const below = std.math.nextAfter(f32, exponential_min, -100);
    for (cases ++ [_][2]f32{ .{ above, infinity }, .{ below, 0 } }) |case| {
        errdefer std.debug.print("x = {x}\n", .{case[0]});
        try testing.expectSame(f32, &.{case[1]}, &.{exponential(case[0])});
        const vector: [count]f32 = exponential(@as(Lanes, @splat(case[0])));
        try testing.expectSame(f32, &.{case[1]}, vector[0..1]);
    }
    try std.testing.expect(std.math.isNan(exponential(std.math.nan(f32))));
    try std.testing.expect(std.math.isNan(exponential(@as(Lanes, @splat(-std.math.nan(f32))))[3]));
    try std.testing.expect(std.math.isFinite(exponential(exponential_max)));
    try std.testing.expect(std.math.isNormal(exponential(exponential_min)));
}
