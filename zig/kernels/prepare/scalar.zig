//! prepare.zig's contract, one value after another: the reference, and what runs where no variant fits.
const std = @import("std");
const format = @import("../../format.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");

/// Adding it to |x| < 2^22 leaves no bit for a fraction, so the sum is rounded to an integer, halves to even.
const rounder: f32 = 3 << 22;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const input: *const prepare.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |unit| {
        quantize(prepare.Target.init(input, unit));
    }
}

fn quantize(target: prepare.Target) void {
    var largest: f32 = 0;
    var finite = true;
    for (target.x) |x| {
        if (!std.math.isFinite(x)) finite = false;
        largest = @max(largest, @abs(x));
    }
    target.scale.* = prepare.blockScale(finite, largest);
    @memset(target.values, 0);
    @memset(target.sums, 0);
    @memset(target.half_sums, 0);
    if (!(target.scale.* > 0)) return;
    const inverse = 127 / largest;
    for (target.values, 0..) |*slot, place| {
        const column = switch (target.column_order) {
            .natural => place,
            .strided => format.originalColumn(place),
        };
        if (column >= target.x.len) continue;
        const value: i8 = @intFromFloat((target.x[column] * inverse + rounder) - rounder);
        slot.* = value;
        target.sums[place / prepared.sum_columns] += value;
        target.half_sums[prepared.halfSumPlace(place / (prepared.sum_columns / 2))] += value;
    }
}
