//! Eight f32 at a time for the AVX2 files: loads, stores and loops whose result does not depend on where a range is cut.
//! An operation that is written for `anytype` runs on vectors and, for the rest of a range, on single numbers, with the
//! same roundings: fused where it says so, and the exponential of kernels/lanes.zig, which gives the same bits on both.
const std = @import("std");
const shared = @import("../kernels/lanes.zig");

pub const count = shared.count;
pub const Lanes = shared.Lanes;
pub const exponential = shared.exponential;
pub const fold = shared.fold;
pub const larger = shared.larger;

pub inline fn load(x: [*]const f32) Lanes {
    return x[0..count].*;
}

pub inline fn store(x: [*]f32, value: Lanes) void {
    x[0..count].* = value;
}

/// The first `n` (1..7) elements at `x`, the other lanes `filler`.
pub inline fn loadPart(x: [*]const f32, n: usize, filler: f32) Lanes {
    var part: [count]f32 = @splat(filler);
    for (part[0..n], x[0..n]) |*lane, value| lane.* = value;
    return part;
}

pub inline fn storePart(x: [*]f32, n: usize, value: Lanes) void {
    const part: [count]f32 = value;
    for (x[0..n], part[0..n]) |*out, lane| out.* = lane;
}

/// `value` in every lane, for a T that is f32 or Lanes.
pub inline fn splat(comptime T: type, value: f32) T {
    return if (T == f32) value else @splat(value);
}

/// a b + c with one rounding.
pub inline fn fused(a: anytype, b: @TypeOf(a), c: @TypeOf(a)) @TypeOf(a) {
    return @mulAdd(@TypeOf(a), a, b, c);
}

/// Four running sums of eight lanes, so that no addition waits for the one before it. `add` takes the next lanes in turn.
pub const Sums = struct {
    parts: [4]Lanes = @splat(@splat(0)),

    /// The sum of all that `term` gives over `total` elements: term(context, i, n) has n elements from i on, zero in the
    /// lanes after them; n is 8 except at the end. The order depends on `total` alone.
    pub inline fn over(total: usize, context: anytype, comptime term: fn (@TypeOf(context), usize, usize) callconv(.@"inline") Lanes) f32 {
        var sums = Sums{};
        var i: usize = 0;
        while (i + 4 * count <= total) : (i += 4 * count) {
            inline for (&sums.parts, 0..) |*part, index| part.* += term(context, i + index * count, count);
        }
        while (i + count <= total) : (i += count) sums.parts[0] += term(context, i, count);
        if (i < total) sums.parts[1] += term(context, i, total - i);
        return fold((sums.parts[0] + sums.parts[2]) + (sums.parts[1] + sums.parts[3]));
    }
};
