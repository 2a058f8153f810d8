//! The reference of key_value_store.zig, in plain loops.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
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
        for (0..a.head_dim) |j| {
            key_cache[to + j] = @floatCast(a.keys[from + j]);
            value_cache[to + j] = @floatCast(a.values[from + j]);
        }
    }
}
