//! key_value_store.zig in vectors of eight: F16C's vcvtps2ph rounds, to nearest as the default mode has it.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const Arguments = @import("../key_value_store.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    switch (a.element) {
        .f32 => store(.f32, a, begin, end),
        .f16 => store(.f16, a, begin, end),
        .bf16 => unreachable,
    }
}

fn store(comptime element: format.Element, a: *const Arguments, begin: usize, end: usize) void {
    const key_cache: [*]elements.Stored(element) = @ptrCast(a.key_cache);
    const value_cache: [*]elements.Stored(element) = @ptrCast(a.value_cache);
    for (begin..end) |unit| {
        const position = a.start + unit / a.heads;
        const to = (unit % a.heads * a.capacity + position) * a.head_dim;
        const from = unit * a.head_dim;
        narrow(element, a.keys[from..][0..a.head_dim], key_cache + to);
        narrow(element, a.values[from..][0..a.head_dim], value_cache + to);
    }
}

fn narrow(comptime element: format.Element, values: []const f32, cells: [*]elements.Stored(element)) void {
    var i: usize = 0;
    while (values.len - i >= lanes.count) : (i += lanes.count) {
        const eight: lanes.Lanes = values[i..][0..lanes.count].*;
        cells[i..][0..lanes.count].* = @as(@Vector(lanes.count, elements.Stored(element)), @floatCast(eight));
    }
    for (values[i..], cells[i..values.len]) |value, *cell| cell.* = @floatCast(value);
}
