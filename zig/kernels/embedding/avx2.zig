//! embedding.zig in vectors of eight.
const elements = @import("../elements.zig");
const embedding = @import("../embedding.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const embedding.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |token| {
        const out = a.out[token * a.columns ..][0..a.columns];
        switch (a.kind) {
            .f32 => dense(.f32, a, a.ids[token], out),
            .f16 => dense(.f16, a, a.ids[token], out),
            .bf16 => dense(.bf16, a, a.ids[token], out),
            .q8 => q8(a, a.ids[token], out),
        }
    }
}

fn dense(comptime element: format.Element, a: *const embedding.Arguments, id: usize, out: []f32) void {
    const table: [*]const elements.Stored(element) = @ptrCast(a.table);
    const row = table + id * a.columns;
    var i: usize = 0;
    while (out.len - i >= lanes.count) : (i += lanes.count) {
        out[i..][0..lanes.count].* = elements.load(element, row + i);
    }
    for (out[i..], row[i..out.len]) |*value, stored| value.* = elements.widen(element, stored);
}

fn q8(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const layout = format.Q8Layout.init(a.rows, a.columns).?;
    const values: [*]const i8 = @ptrCast(a.table[id * layout.padded_columns ..]);
    const all_scales: [*]const f16 = @ptrCast(@alignCast(a.table[layout.scales_offset..]));
    const scales = all_scales + id * layout.groups;
    var i: usize = 0;
    while (out.len - i >= lanes.count) : (i += lanes.count) {
        const eight: @Vector(lanes.count, i8) = values[i..][0..lanes.count].*;
        const scale: lanes.Lanes = @splat(scales[i / format.q8_group_columns]);
        out[i..][0..lanes.count].* = @as(lanes.Lanes, @floatFromInt(eight)) * scale;
    }
    for (out[i..], values[i..out.len], i..) |*result, value, column| {
        result.* = @as(f32, @floatFromInt(value)) * @as(f32, scales[column / format.q8_group_columns]);
    }
}
