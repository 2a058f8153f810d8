//! Embedding rows of the kinds whose weights lie in blocks, q6k and int4: one code for every level, since a row is some
//! thousand weights a token.
const embedding = @import("../embedding.zig");
const format = @import("../../format.zig");

/// Row `id` of a `q6k` table. Eleven bits of scale, seven of sub-scale and five of code make products that are exact.
pub fn q6k(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const kind = format.q6k;
    const layout = kind.Layout.init(a.rows, a.columns).?;
    const all_codes: [*]const [kind.codes_bytes]u8 = @ptrCast(a.table);
    const all_sub_scales: [*]const [kind.sub_scales]i8 = @ptrCast(a.table[layout.sub_scales_offset..]);
    const all_scales: [*]const f16 = @ptrCast(@alignCast(a.table[layout.scales_offset..]));
    for (0..layout.blocks) |block| {
        const cell = id * layout.blocks + block;
        const weights = out[block * kind.block_columns ..][0..kind.block_columns];
        const scale: f32 = all_scales[cell];
        for (weights, 0..) |*weight, column| {
            const sub_scale: i32 = all_sub_scales[cell][kind.subScalePlace(column / kind.sub_columns)];
            const code = @as(i32, kind.code(&all_codes[cell], column)) - kind.offset;
            weight.* = @as(f32, @floatFromInt(sub_scale * code)) * scale;
        }
    }
}

/// Row `id` of an `int4` table.
pub fn int4(a: *const embedding.Arguments, id: usize, out: []f32) void {
    const kind = format.int4;
    const layout = kind.Layout.init(a.rows, a.columns).?;
    const scales: [*]const f16 = @ptrCast(@alignCast(a.table[layout.scales_offset..]));
    for (0..layout.groups) |group| {
        const first_column = group * kind.group_columns;
        const count = @min(kind.group_columns, out.len - first_column);
        const chunk = a.table[(id / kind.tile_rows * layout.groups + group) * kind.chunk_bytes ..][0..kind.chunk_bytes];
        const scale: f32 = scales[layout.scaleIndex(id, group)];
        for (out[first_column..][0..count], 0..) |*weight, column| {
            weight.* = @as(f32, @floatFromInt(kind.value(chunk, id % kind.tile_rows, column))) * scale;
        }
    }
}
