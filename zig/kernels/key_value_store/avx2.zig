//! key_value_store.zig in vectors of eight: F16C's vcvtps2ph rounds, to nearest as the default mode has it.
const std = @import("std");
const cells = @import("../cache_cells.zig");
const lanes = @import("../lanes.zig");
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
        narrow(cell, a.keys[from..][0..a.head_dim], key_cache + to);
        narrow(cell, a.values[from..][0..a.head_dim], value_cache + to);
    }
}

fn narrow(comptime cell: cells.Cell, values: []const f32, to: [*]cells.Stored(cell)) void {
    var i: usize = 0;
    while (values.len - i >= lanes.count) : (i += lanes.count) {
        const eight: lanes.Lanes = values[i..][0..lanes.count].*;
        to[i..][0..lanes.count].* = @as(@Vector(lanes.count, cells.Stored(cell)), @floatCast(eight));
    }
    for (values[i..], to[i..values.len]) |value, *slot| slot.* = @floatCast(value);
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
    const magnitude: @Vector(lanes.count, u32) = @splat(0x7fff_ffff);
    const whole = x.len - x.len % lanes.count;
    // Magnitudes are ordered as their bits are, infinities and NaN above all numbers.
    var bits: @Vector(lanes.count, u32) = @splat(0);
    var i: usize = 0;
    while (i < whole) : (i += lanes.count) {
        const eight: @Vector(lanes.count, u32) = @bitCast(@as(lanes.Lanes, x[i..][0..lanes.count].*));
        bits = @max(bits, eight & magnitude);
    }
    var largest_bits = @reduce(.Max, bits);
    for (x[whole..]) |value| largest_bits = @max(largest_bits, @as(u32, @bitCast(value)) & 0x7fff_ffff);
    const largest: f32 = @bitCast(largest_bits);
    const scale = key_value_store.scaleOf(std.math.isFinite(largest), largest);
    if (!(scale > 0)) {
        @memset(codes, 0);
        return scale;
    }
    const inverse = 127 / largest;
    const inverses: lanes.Lanes = @splat(inverse);
    const rounder: lanes.Lanes = @splat(key_value_store.rounder);
    i = 0;
    while (i < whole) : (i += lanes.count) {
        const eight: lanes.Lanes = x[i..][0..lanes.count].*;
        const rounded: @Vector(lanes.count, i32) = @intFromFloat((eight * inverses + rounder) - rounder);
        codes[i..][0..lanes.count].* = @as(@Vector(lanes.count, i8), @intCast(rounded));
    }
    for (x[whole..], codes[whole..]) |value, *code| {
        code.* = @intFromFloat((value * inverse + key_value_store.rounder) - key_value_store.rounder);
    }
    return scale;
}
