//! The reference of embedding.zig, in plain loops.
const blocks = @import("blocks.zig");
const elements = @import("../elements.zig");
const embedding = @import("../embedding.zig");
const format = @import("../../format.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const embedding.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |token| {
        const out = a.out[token * a.columns ..][0..a.columns];
        switch (a.kind) {
            .f32 => dense(.f32, a, a.ids[token], out),
            .f16 => dense(.f16, a, a.ids[token], out),
            .bf16 => dense(.bf16, a, a.ids[token], out),
            .q8 => q8(a, a.ids[token], out),
            .split8 => split8(a, a.ids[token], out),
            .q6k => blocks.q6k(a, a.ids[token], out),
            .int4 => blocks.int4(a, a.ids[token], out),
        }
    }
}

fn dense(comptime element: format.Element, a: *const embedding.Arguments, id: usize, out: []f32) void {
    const table: [*]const elements.Stored(element) = @ptrCast(a.table);
    for (out, table[id * a.columns ..][0..a.columns]) |*value, stored| value.* = elements.widen(element, stored);
}

fn q8(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const layout = format.Q8Layout.init(a.rows, a.columns).?;
    const values: [*]const i8 = @ptrCast(a.table[id * layout.padded_columns ..]);
    const all_scales: [*]const f16 = @ptrCast(@alignCast(a.table[layout.scales_offset..]));
    const scales = all_scales + id * layout.groups;
    for (out, values[0..a.columns], 0..) |*result, value, column| {
        result.* = @as(f32, @floatFromInt(value)) * @as(f32, scales[column / format.q8_group_columns]);
    }
}

fn split8(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const layout = format.split8.Layout.init(a.rows, a.columns).?;
    const high = a.table + id * layout.row_bytes;
    const low = high + layout.low_offset;
    const row_scales: [*]const f32 = @ptrCast(@alignCast(a.table + layout.scales_offset));
    for (out, 0..) |*result, column| {
        const place = format.split8.nibblePlace(column);
        const stored = @as(i32, high[place.byte] >> place.shift & 15) * 16 + (low[place.byte] >> place.shift & 15);
        const weight = stored - format.split8.magnitude_max - format.split8.ditherOf(column);
        result.* = @as(f32, @floatFromInt(weight)) * row_scales[id];
    }
}
