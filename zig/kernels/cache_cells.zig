//! How a key-value cache keeps its numbers: f32, f16, or int8 with one scale for each head of each position (q8), and
//! where the parts of one cache lie. Reading widens to f32, which is exact; a q8 number is its int8 times its scale, and
//! whoever reads applies the scale to a whole head at once.
//!
//! Legend: G key-value heads, T capacity in positions, D head_dim.
const std = @import("std");
const format = @import("../format.zig");
const elements = @import("elements.zig");
const lanes = @import("lanes.zig");
const testing = @import("testing.zig");

/// The codes are those of the C ABI (src/native/weight.ts, ELEMENT_CODES).
pub const Cell = enum(u32) {
    f32 = 0,
    f16 = 1,
    q8 = 3,

    pub fn fromCode(code: u32) ?Cell {
        return switch (code) {
            0, 1, 3 => @fromBackingInt(code),
            else => null,
        };
    }

    pub fn bytes(self: Cell) usize {
        return switch (self) {
            .f32 => 4,
            .f16 => 2,
            .q8 => 1,
        };
    }
};

/// One cache: cells [G][T][D], then for q8 at a multiple of 64 the scales f32 [G][T].
pub const Layout = struct {
    scales_offset: usize,
    bytes: usize,

    /// Null when a size is zero or a product overflows.
    pub fn init(cell: Cell, heads: usize, capacity: usize, head_dim: usize) ?Layout {
        if (heads == 0 or capacity == 0 or head_dim == 0) return null;
        const vectors = std.math.mul(usize, heads, capacity) catch return null;
        const values = std.math.mul(usize, vectors, head_dim) catch return null;
        const cells_bytes = std.math.mul(usize, values, cell.bytes()) catch return null;
        if (cell != .q8) return .{ .scales_offset = cells_bytes, .bytes = cells_bytes };
        const scales_offset = format.roundUp(cells_bytes, 64) orelse return null;
        const scales_bytes = std.math.mul(usize, vectors, 4) catch return null;
        const total = std.math.add(usize, scales_offset, scales_bytes) catch return null;
        return .{ .scales_offset = scales_offset, .bytes = total };
    }
};

/// What one cell is in memory.
pub fn Stored(comptime cell: Cell) type {
    return switch (cell) {
        .f32 => f32,
        .f16 => f16,
        .q8 => i8,
    };
}

pub inline fn widen(comptime cell: Cell, stored: Stored(cell)) f32 {
    return if (cell == .q8) @floatFromInt(stored) else stored;
}

/// The eight cells at `stored`, without their scale.
pub inline fn load(comptime cell: Cell, stored: [*]const Stored(cell)) lanes.Lanes {
    if (cell != .q8) return elements.load(if (cell == .f32) .f32 else .f16, stored);
    const eight: @Vector(lanes.count, i8) = stored[0..lanes.count].*;
    return @floatFromInt(@as(@Vector(lanes.count, i32), eight));
}

/// The first `n` (1..7) cells at `stored`, without their scale, the other lanes zero.
pub noinline fn loadPart(comptime cell: Cell, stored: [*]const Stored(cell), n: usize) lanes.Lanes {
    var part: [lanes.count]f32 = @splat(0);
    for (stored[0..n], part[0..n]) |value, *lane| lane.* = widen(cell, value);
    return part;
}

test "cells: layouts by hand, and sizes that are none" {
    try std.testing.expectEqual(Layout{ .scales_offset = 240, .bytes = 240 }, Layout.init(.f32, 2, 3, 10).?);
    try std.testing.expectEqual(Layout{ .scales_offset = 120, .bytes = 120 }, Layout.init(.f16, 2, 3, 10).?);
    try std.testing.expectEqual(Layout{ .scales_offset = 64, .bytes = 88 }, Layout.init(.q8, 2, 3, 10).?);
    for ([_][3]usize{ .{ 0, 1, 1 }, .{ 1, 0, 1 }, .{ 1, 1, 0 } }) |sizes| {
        try std.testing.expectEqual(null, Layout.init(.q8, sizes[0], sizes[1], sizes[2]));
    }
    try std.testing.expectEqual(null, Layout.init(.f32, 1 << 31, 1 << 31, 4));
    try std.testing.expectEqual(null, Layout.init(.q8, 1, std.math.maxInt(usize) / 4, 1));
    try std.testing.expectEqual(null, Cell.fromCode(2));
    try std.testing.expectEqual(.q8, Cell.fromCode(3).?);
}

test "cells: every int8 widens to itself" {
    var all: [256]i8 = undefined;
    for (&all, 0..) |*value, i| value.* = @intCast(@as(i32, @intCast(i)) - 128);
    var i: usize = 0;
    while (i < all.len) : (i += lanes.count) {
        const eight: [lanes.count]f32 = load(.q8, all[i..].ptr);
        for (eight, all[i..][0..lanes.count]) |wide, value| try testing.expectSame(f32, &.{widen(.q8, value)}, &.{wide});
        const part: [lanes.count]f32 = loadPart(.q8, all[i..].ptr, 3);
        try testing.expectSame(f32, eight[0..3], part[0..3]);
        try testing.expectSame(f32, &@as([5]f32, @splat(0)), part[3..]);
    }
}
