//! The reference of key_value_store.zig, in plain loops.
const std = @import("std");
const cells = @import("../cache_cells.zig");
const key_value_store = @import("../key_value_store.zig");
const Arguments = key_value_store.Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    switch (a.cell) {
        inline .f32, .f16 => |cell| store(cell, a, begin, end),
        .q8 => storeScaled(a, begin, end),
    }
}

fn store(comptime cell: cells.Cell, a: *const Arguments, begin: usize, end: usize) void {
    const key_cache: [*]cells.Stored(cell) = @ptrCast(a.key_cache);
    const value_cache: [*]cells.Stored(cell) = @ptrCast(a.value_cache);
    for (begin..end) |unit| {
        const position = a.start + unit / a.heads;
        const to = (unit % a.heads * a.capacity + position) * a.head_dim;
        const from = unit * a.head_dim;
        for (0..a.head_dim) |j| {
            key_cache[to + j] = @floatCast(a.keys[from + j]);
            value_cache[to + j] = @floatCast(a.values[from + j]);
        }
    }
}

fn storeScaled(a: *const Arguments, begin: usize, end: usize) void {
    const key_cache: [*]i8 = @ptrCast(a.key_cache);
    const value_cache: [*]i8 = @ptrCast(a.value_cache);
    const key_scales = a.scalesOf(a.key_cache);
    const value_scales = a.scalesOf(a.value_cache);
    for (begin..end) |unit| {
        const vector = unit % a.heads * a.capacity + a.start + unit / a.heads;
        const to = vector * a.head_dim;
        const from = unit * a.head_dim;
        key_scales[vector] = quantize(a.keys[from..][0..a.head_dim], key_cache[to..][0..a.head_dim]);
        value_scales[vector] = quantize(a.values[from..][0..a.head_dim], value_cache[to..][0..a.head_dim]);
    }
}

/// Writes the codes of x and gives their scale back.
fn quantize(x: []const f32, codes: []i8) f32 {
    var largest: f32 = 0;
    var finite = true;
    for (x) |value| {
        if (!std.math.isFinite(value)) finite = false;
        largest = @max(largest, @abs(value));
    }
    const scale = key_value_store.scaleOf(finite, largest);
    @memset(codes, 0);
    if (!(scale > 0)) return scale;
    const inverse = 127 / largest;
    for (x, codes) |value, *code| {
        code.* = @intFromFloat((value * inverse + key_value_store.rounder) - key_value_store.rounder);
    }
    return scale;
}
