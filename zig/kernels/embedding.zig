//! Rows of an embedding table, widened to f32: out[b] = table[ids[b]]. Exact for dense kinds; value * f32(scale) for
//! q8. The caller has checked every id against `rows`.
//!
//! Unit of work: one token.
const std = @import("std");
const format = @import("../format.zig");

pub const Kind = enum(u32) { f32 = 0, f16 = 1, bf16 = 2, q8 = 3 };

pub const Arguments = extern struct {
    /// Dense elements [V][C], or a format.Q8Layout of V rows and C columns; aligned to 64.
    table: [*]align(64) const u8,
    kind: Kind,
    rows: usize,
    columns: usize,
    /// u32 [B]
    ids: [*]const u32,
    /// f32 [B][C]
    out: [*]f32,
};

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
        };
        // Exact: eight bits of value times eleven of scale fit in f32's 24.
        errdefer std.debug.print("token {d}, id {d}, column {d}\n", .{ token, id, column });
        try std.testing.expectEqual(exact, arguments.out[token * arguments.columns + column]);
    }
}

test "embedding: exactly the rows asked for, from every kind and variant" {
    var source = std.Random.DefaultPrng.init(0xe3be);
    const random = source.random();
    const rows = 13;
    const sizes = [_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 };
    for (sizes) |columns| for (std.enums.values(Kind)) |kind| for ([_]usize{ 1, 2, 9 }) |tokens| {
        errdefer std.debug.print("columns {d}, {any}, tokens {d}\n", .{ columns, kind, tokens });
        const element: format.Element = switch (kind) {
            .f32 => .f32,
            .f16, .q8 => .f16,
            .bf16 => .bf16,
        };
        const layout = format.Q8Layout.init(rows, columns).?;
        const table = try testing.Guarded(u8).init(if (kind == .q8) layout.bytes else rows * columns * element.bytes());
        defer table.deinit();
        if (kind == .q8) random.bytes(table.items);
        const elements_offset = if (kind == .q8) layout.scales_offset else 0;
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
