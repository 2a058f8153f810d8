//! f32 to f16 and back by integer arithmetic on eight lanes (IEEE 754-2008, binary16: 5 exponent bits biased by 15, 10
//! fraction bits). The compiler's own conversion is a call per number on CPUs without F16C, and the packer is built for
//! any CPU.
const std = @import("std");

pub const count = 8;
const Bits = @Vector(count, u32);
const Floats = @Vector(count, f32);
const Halves = @Vector(count, u16);

/// What f32's exponent bias has over f16's, in place.
const bias_difference: Bits = @splat((127 - 15) << 23);
/// The fraction bits that f16 lacks.
const dropped_bits: @Vector(count, u5) = @splat(13);
const sign_mask: Bits = @splat(0x8000_0000);
/// From here on f16 is normal: 2^-14.
const normal_min: Bits = @splat((127 - 14) << 23);
const half_infinity: Bits = @splat(0x7c00);
const one_half: Floats = @splat(0.5);

pub const Narrowed = struct {
    halves: Halves,
    /// The halves' own values; an infinity where the number was past f16's range.
    values: Floats,
};

/// Rounds to the nearest, ties to even. The numbers are finite.
pub inline fn narrow(numbers: Floats) Narrowed {
    const bits: Bits = @bitCast(numbers);
    const sign = bits & sign_mask;
    const magnitude = bits & ~sign_mask;
    const odd = magnitude >> dropped_bits & @as(Bits, @splat(1));
    const rounded = (magnitude + @as(Bits, @splat(0xfff)) + odd) >> dropped_bits << dropped_bits;
    // f16's smallest step, 2^-24, is f32's step at 0.5: adding 0.5 makes the adder round to it.
    const shifted = @as(Floats, @bitCast(magnitude)) + one_half;
    const is_normal = magnitude >= normal_min;
    const subnormal_half = @as(Bits, @bitCast(shifted)) -% @as(Bits, @bitCast(one_half));
    const normal_half = (rounded -% bias_difference) >> dropped_bits;
    const half = @min(@select(u32, is_normal, normal_half, subnormal_half), half_infinity);
    const subnormal_value: Bits = @bitCast(shifted - one_half);
    const finite_value = @select(u32, is_normal, rounded, subnormal_value);
    const infinity: Bits = @splat(@bitCast(std.math.inf(f32)));
    const value = @select(u32, half == half_infinity, infinity, finite_value);
    return .{
        .halves = @truncate(half | sign >> @splat(16)),
        .values = @bitCast(value | sign),
    };
}

/// Exact. An infinity or a NaN comes out as one.
pub inline fn widen(halves: Halves) Floats {
    const bits: Bits = halves;
    const sign = (bits & @as(Bits, @splat(0x8000))) << @splat(16);
    const magnitude = bits & @as(Bits, @splat(0x7fff));
    const steps: Floats = @floatFromInt(@as(@Vector(count, i32), @intCast(magnitude)));
    const subnormal: Bits = @bitCast(steps * @as(Floats, @splat(0x1p-24)));
    const normal = (magnitude << dropped_bits) + bias_difference;
    const finite = @select(u32, magnitude < @as(Bits, @splat(0x400)), subnormal, normal);
    const exponent_mask: Bits = @splat(0x7f80_0000);
    const value = @select(u32, magnitude >= half_infinity, normal | exponent_mask, finite);
    return @bitCast(value | sign);
}

test "all halves widen to their value and narrow back; the numbers between them go to the right neighbour" {
    for (0..1 << 16) |pattern| {
        const half: f16 = @bitCast(@as(u16, @intCast(pattern)));
        const widened: [count]f32 = widen(@splat(@intCast(pattern)));
        const wide = widened[pattern % count];
        if (!std.math.isFinite(half)) {
            try std.testing.expect(!std.math.isFinite(wide));
            continue;
        }
        try std.testing.expectEqual(@as(u32, @bitCast(@as(f32, half))), @as(u32, @bitCast(wide)));
        // Around the half itself and around the middle to its neighbour away from zero: the compiler's conversion agrees.
        const next: f32 = std.math.nextAfter(f16, half, std.math.copysign(std.math.inf(f16), half));
        const middle = if (std.math.isFinite(next)) (wide + next) / 2 else std.math.copysign(@as(f32, 65520), half);
        for ([_]f32{ wide, middle }) |place| {
            for ([_]f32{ -std.math.inf(f32), place, std.math.inf(f32) }) |direction| {
                const number = std.math.nextAfter(f32, place, direction);
                const expected: f16 = @floatCast(number);
                const narrowed = narrow(@splat(number));
                const patterns: [count]u16 = narrowed.halves;
                const values: [count]f32 = narrowed.values;
                try std.testing.expectEqual(@as(u16, @bitCast(expected)), patterns[pattern % count]);
                try std.testing.expectEqual(@as(f32, expected), values[pattern % count]);
            }
        }
    }
    for ([_]f32{ 65536, 1e5, std.math.floatMax(f32), std.math.floatTrueMin(f32), 1e-30 }) |number| {
        const narrowed = narrow(@splat(-number));
        const expected: f16 = @floatCast(-number);
        try std.testing.expectEqual(@as(u16, @bitCast(expected)), narrowed.halves[3]);
        try std.testing.expectEqual(@as(f32, expected), narrowed.values[3]);
    }
}
