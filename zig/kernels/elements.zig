//! Reading the dense elements of weights and caches, widened to f32. Widening is exact for all three kinds.
const format = @import("../format.zig");
const lanes = @import("lanes.zig");

/// What one element is in memory; bf16 has no type of its own and is the high half of an f32's bits.
pub fn Stored(comptime element: format.Element) type {
    return switch (element) {
        .f32 => f32,
        .f16 => f16,
        .bf16 => u16,
    };
}

pub inline fn widen(comptime element: format.Element, stored: Stored(element)) f32 {
    return switch (element) {
        .f32, .f16 => stored,
        .bf16 => @bitCast(@as(u32, stored) << 16),
    };
}

/// The eight elements at `stored`.
pub inline fn load(comptime element: format.Element, stored: [*]const Stored(element)) lanes.Lanes {
    return loadMany(lanes.count, element, stored);
}

/// The `count` elements at `stored`.
pub inline fn loadMany(comptime count: usize, comptime element: format.Element, stored: [*]const Stored(element)) @Vector(count, f32) {
    return widenMany(count, element, stored[0..count].*);
}

/// The same of elements at hand.
pub inline fn widenMany(comptime count: usize, comptime element: format.Element, many: @Vector(count, Stored(element))) @Vector(count, f32) {
    return switch (element) {
        .f32 => many,
        .f16 => @floatCast(many),
        .bf16 => @bitCast(@as(@Vector(count, u32), many) << @splat(16)),
    };
}

/// The first `n` (1..7) elements at `stored`, the other lanes zero.
pub noinline fn loadPart(comptime element: format.Element, stored: [*]const Stored(element), n: usize) lanes.Lanes {
    var part: [lanes.count]f32 = @splat(0);
    for (stored[0..n], part[0..n]) |value, *lane| lane.* = widen(element, value);
    return part;
}
