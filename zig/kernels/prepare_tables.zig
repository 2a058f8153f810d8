//! The tables of prepare.zig for some of many prepared tokens: what sherry_linear looks sums up in when prepare has made
//! none, because there are more tokens than prepared.table_tokens_max. The same bytes that prepare makes for as many
//! tokens; at the scalar level nobody reads them.
//!
//! Unit of work: one activation block of one token, by prepared.Cell.ofUnit of the round's tokens.
const std = @import("std");
const format = @import("../format.zig");
const kernel = @import("kernel.zig");
const prepare = @import("prepare.zig");
const prepared = @import("prepared.zig");
const testing = @import("testing.zig");

pub const Arguments = extern struct {
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64.
    prepared: [*]align(64) const u8,
    tokens: usize,
    columns: usize,
    /// The round: tokens first_token .. first_token + round_tokens.
    first_token: usize,
    round_tokens: usize,
    /// u8 [round_tokens * N * (table_bytes or wide_table_bytes)], as prepare lays a round's tokens out.
    tables: [*]align(64) u8,
};

/// A level's implementation, given how it fills one block's tables.
pub inline fn runWith(
    comptime fillBlock: fn (values: *const [format.activation_block_columns]i8, place: prepared.TablePlace) void,
    raw: *const anyopaque,
    begin: usize,
    end: usize,
) void {
    const arguments: *const Arguments = @ptrCast(@alignCast(raw));
    const layout = prepared.Layout.init(arguments.tokens, arguments.columns).?;
    const values: [*]const [format.activation_block_columns]i8 = @ptrCast(arguments.prepared + layout.values_offset);
    for (begin..end) |unit| {
        const cell = prepared.Cell.ofUnit(unit, arguments.round_tokens);
        fillBlock(&values[(arguments.first_token + cell.token) * layout.blocks + cell.block], .{
            .all = arguments.tables,
            .tokens = arguments.round_tokens,
            .blocks = layout.blocks,
            .cell = cell,
        });
    }
}

pub fn expectTablesOfPrepare(comptime prepareRun: kernel.Run, comptime run: kernel.Run, table_bytes: usize) !void {
    const allocator = std.testing.allocator;
    var generator = std.Random.DefaultPrng.init(0x5e44_0007);
    for ([_]usize{ 36, 600 }) |columns| for ([_]usize{ 1, 5, 8 }) |round_tokens| {
        errdefer std.debug.print("columns {} round tokens {}\n", .{ columns, round_tokens });
        const tokens = prepared.table_tokens_max + 9;
        const first_token = generator.random().uintAtMost(usize, tokens - round_tokens);
        const x = try allocator.alloc(f32, tokens * columns);
        defer allocator.free(x);
        for (x) |*element| element.* = generator.random().floatNorm(f32);
        const all = try prepareTokens(prepareRun, x, tokens, columns);
        defer allocator.free(all);
        const few = try prepareTokens(prepareRun, x[first_token * columns ..], round_tokens, columns);
        defer allocator.free(few);
        const layout = prepared.Layout.init(round_tokens, columns).?;
        const expected = few[layout.tables_offset..][0 .. round_tokens * layout.blocks * table_bytes];
        const received = try allocator.alignedAlloc(u8, .@"64", expected.len);
        defer allocator.free(received);
        const arguments = Arguments{
            .prepared = all.ptr,
            .tokens = tokens,
            .columns = columns,
            .first_token = first_token,
            .round_tokens = round_tokens,
            .tables = received.ptr,
        };
        run(&arguments, 0, round_tokens * layout.blocks);
        try std.testing.expectEqualSlices(u8, expected, received);
    };
}

fn prepareTokens(comptime run: kernel.Run, x: []const f32, tokens: usize, columns: usize) ![]align(64) u8 {
    const bytes = try std.testing.allocator.alignedAlloc(u8, .@"64", prepared.Layout.init(tokens, columns).?.bytes);
    const arguments = prepare.Arguments{
        .x = x.ptr,
        .tokens = tokens,
        .columns = columns,
        .column_order = .natural,
        .prepared = bytes.ptr,
    };
    run(&arguments, 0, tokens * prepared.Layout.init(tokens, columns).?.blocks);
    return bytes;
}

test "scalar makes the tables that prepare makes" {
    try expectTablesOfPrepare(@import("prepare/scalar.zig").run, @import("prepare_tables/scalar.zig").run, prepared.table_bytes);
}

test "AVX2 makes the tables that prepare makes" {
    if (comptime !testing.has_avx2) return error.SkipZigTest;
    try expectTablesOfPrepare(@import("prepare/avx2.zig").run, @import("prepare_tables/avx2.zig").run, prepared.table_bytes);
}
