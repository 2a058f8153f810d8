//! embedding.zig in vectors of eight.
const blocks = @import("blocks.zig");
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
            .split8 => split8(a, a.ids[token], out),
            .q6k => blocks.q6k(a, a.ids[token], out),
            .int4 => blocks.int4(a, a.ids[token], out),
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

fn split8(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const layout = format.split8.Layout.init(a.rows, a.columns).?;
    const high = a.table + id * layout.row_bytes;
    const low = high + layout.low_offset;
    const row_scales: [*]const f32 = @ptrCast(@alignCast(a.table + layout.scales_offset));
    const scale: lanes.Lanes = @splat(row_scales[id]);
    const Integers = @Vector(lanes.count, i32);
    const offset: Integers = @splat(format.split8.magnitude_max);
    var column: usize = 0;
    while (column < out.len) : (column += lanes.count) {
        // Eight columns from a multiple of eight on lie in neighbouring bytes at one shift; the padding fills the last.
        const place = format.split8.nibblePlace(column);
        const shift: @Vector(lanes.count, u3) = @splat(place.shift);
        const mask: @Vector(lanes.count, u8) = @splat(15);
        const high_bytes: @Vector(lanes.count, u8) = high[place.byte..][0..lanes.count].*;
        const low_bytes: @Vector(lanes.count, u8) = low[place.byte..][0..lanes.count].*;
        const stored = (high_bytes >> shift & mask) << @splat(4) | (low_bytes >> shift & mask);
        const weights = @as(Integers, stored) - offset - dithersAt(column);
        const products: [lanes.count]f32 = @as(lanes.Lanes, @floatFromInt(weights)) * scale;
        const count = @min(lanes.count, out.len - column);
        @memcpy(out[column..][0..count], products[0..count]);
    }
}

/// The dithers of eight columns from `column`, a multiple of eight, on.
inline fn dithersAt(column: usize) @Vector(lanes.count, i32) {
    const sixteen = format.split8.dithersOf(column / format.split8.dither_columns);
    const eight: u32 = @truncate(sixteen >> @intCast(column % format.split8.dither_columns * 4));
    const shifts: @Vector(lanes.count, u5) = .{ 0, 4, 8, 12, 16, 20, 24, 28 };
    const nibbles = @as(@Vector(lanes.count, u32), @splat(eight)) >> shifts;
    return @bitCast(nibbles & @as(@Vector(lanes.count, u32), @splat(15)));
}
