//! Rows of an embedding table, widened to f32: out[b] = table[ids[b]]. Exact for dense kinds; value * f32(scale) for
//! q8, int4 and split8; f32(scale) * sub-scale * (code - 32) for q6k, whose 23 bits are exact as well. The caller has
//! checked every id against `rows`.
//!
//! Unit of work: one token.
const std = @import("std");
const format = @import("../format.zig");

pub const Kind = enum(u32) { f32 = 0, f16 = 1, bf16 = 2, q8 = 3, split8 = 4, q6k = 5, int4 = 6 };

pub const Arguments = extern struct {
    /// Dense elements [V][C], or a layout of format.zig of V rows and C columns; aligned to 64.
    table: [*]align(64) const u8,
    kind: Kind,
    rows: usize,
    columns: usize,
    /// u32 [B]
    ids: [*]const u32,
    /// f32 [B][C]
    out: [*]f32,
};

/// Bytes of a table; null when a size is zero or a product overflows.
pub fn tableBytes(kind: Kind, rows: usize, columns: usize) ?usize {
    const element_bytes: usize = switch (kind) {
        .f32 => 4,
        .f16, .bf16 => 2,
        .q8 => return (format.Q8Layout.init(rows, columns) orelse return null).bytes,
        .split8 => return (format.split8.Layout.init(rows, columns) orelse return null).bytes,
        .q6k => return (format.q6k.Layout.init(rows, columns) orelse return null).bytes,
        .int4 => return (format.int4.Layout.init(rows, columns) orelse return null).bytes,
    };
    if (rows == 0 or columns == 0) return null;
    const elements = std.math.mul(usize, rows, columns) catch return null;
    return std.math.mul(usize, elements, element_bytes) catch null;
}

const testing = @import("testing.zig");
const scalar = @import("embedding/scalar.zig");
const avx2 = if (testing.has_avx2) @import("embedding/avx2.zig") else scalar;

fn expectRow(arguments: Arguments, token: usize) !void {
    const id = arguments.ids[token];
    for (0..arguments.columns) |column| {
        const cell = id * arguments.columns + column;
        const exact: f64 = switch (arguments.kind) {
            .f32 => @as(f32, @bitCast(arguments.table[cell * 4 ..][0..4].*)),
            .f16 => @as(f16, @bitCast(arguments.table[cell * 2 ..][0..2].*)),
            .bf16 => @as(f32, @bitCast([4]u8{ 0, 0, arguments.table[cell * 2], arguments.table[cell * 2 + 1] })),
            .q8 => q8: {
                const layout = format.Q8Layout.init(arguments.rows, arguments.columns).?;
                const value: i8 = @bitCast(arguments.table[id * layout.padded_columns + column]);
                const scale = arguments.table[layout.scales_offset + (id * layout.groups + column / 32) * 2 ..][0..2];
                break :q8 @as(f64, @floatFromInt(value)) * @as(f16, @bitCast(scale.*));
            },
            .split8 => split8: {
                const layout = format.split8.Layout.init(arguments.rows, arguments.columns).?;
                const place = format.split8.nibblePlace(column);
                const high: i32 = arguments.table[id * layout.row_bytes + place.byte] >> place.shift & 15;
                const low: i32 = arguments.table[layout.low_offset + id * layout.row_bytes + place.byte] >> place.shift & 15;
                const weight = 16 * high + low - 120 - format.split8.ditherOf(column);
                const scale: f32 = @bitCast(arguments.table[layout.scales_offset + id * 4 ..][0..4].*);
                break :split8 @as(f64, @floatFromInt(weight)) * scale;
            },
            .q6k => q6k: {
                const layout = format.q6k.Layout.init(arguments.rows, arguments.columns).?;
                const block = id * layout.blocks + column / 256;
                const code: i32 = format.q6k.code(arguments.table[block * 192 ..][0..192], column % 256);
                const place = block * 16 + format.q6k.subScalePlace(column % 256 / 16);
                const sub_scale: i8 = @bitCast(arguments.table[layout.sub_scales_offset + place]);
                const scale: f16 = @bitCast(arguments.table[layout.scales_offset + block * 2 ..][0..2].*);
                break :q6k @as(f64, @floatFromInt((code - 32) * sub_scale)) * scale;
            },
            .int4 => int4: {
                const layout = format.int4.Layout.init(arguments.rows, arguments.columns).?;
                const chunk = arguments.table[(id / 8 * layout.groups + column / 32) * 128 ..][0..128];
                const place = layout.scales_offset + layout.scaleIndex(id, column / 32) * 2;
                const scale: f16 = @bitCast(arguments.table[place..][0..2].*);
                break :int4 @as(f64, @floatFromInt(format.int4.value(chunk, id % 8, column % 32))) * scale;
            },
        };
        // Eight bits of value times eleven of a q8 scale fit in f32's 24; the product with a split8 scale is rounded once.
        errdefer std.debug.print("token {d}, id {d}, column {d}\n", .{ token, id, column });
        try std.testing.expectEqual(@as(f32, @floatCast(exact)), arguments.out[token * arguments.columns + column]);
    }
}

test "embedding: exactly the rows asked for, from every kind and variant" {
    var source = std.Random.DefaultPrng.init(0xe3be);
    const random = source.random();
    const rows = 13;
    const sizes = [_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 256, 257, 768 };
    for (sizes) |columns| for (std.enums.values(Kind)) |kind| for ([_]usize{ 1, 2, 9 }) |tokens| {
        if (kind == .q6k and columns % format.q6k.block_columns != 0) continue;
        errdefer std.debug.print("columns {d}, {any}, tokens {d}\n", .{ columns, kind, tokens });
        const element: format.Element = switch (kind) {
            .f32, .split8 => .f32,
            .f16, .q8, .q6k, .int4 => .f16,
            .bf16 => .bf16,
        };
        const table = try testing.Guarded(u8).init(tableBytes(kind, rows, columns).?);
        defer table.deinit();
        random.bytes(table.items);
        const elements_offset = switch (kind) {
            .f32, .f16, .bf16 => 0,
            .q8 => format.Q8Layout.init(rows, columns).?.scales_offset,
            .split8 => format.split8.Layout.init(rows, columns).?.scales_offset,
            .q6k => format.q6k.Layout.init(rows, columns).?.scales_offset,
            .int4 => format.int4.Layout.init(rows, columns).?.scales_offset,
        };
        testing.fillElements(random, element, @alignCast(table.items[elements_offset..]));
        var ids: [9]u32 = undefined;
        for (&ids) |*id| id.* = random.uintLessThan(u32, rows);
        ids[0] = rows - 1;
        inline for (.{ scalar, avx2 }) |variant| {
            const out = try testing.Guarded(f32).init(tokens * columns);
            defer out.deinit();
            const arguments = Arguments{
                .table = table.items.ptr,
                .kind = kind,
                .rows = rows,
                .columns = columns,
                .ids = &ids,
                .out = out.items.ptr,
            };
            testing.runCut(random, &variant.run, &arguments, tokens);
            for (0..tokens) |token| try expectRow(arguments, token);
            try out.expectGuards();
        }
    };
}
