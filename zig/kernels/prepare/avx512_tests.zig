//! prepare/avx512.zig against the scalar level.
const std = @import("std");
const format = @import("../../format.zig");
const avx512 = @import("avx512.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const scalar = @import("scalar.zig");
const testing = @import("../testing.zig");

test "AVX-512 prepares the same values and sums as scalar, and tables in which the codes find their signed sums" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    try prepare.forEachCase(struct {
        fn check(x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder) !void {
            const expected = try prepare.Made.init(scalar.run, x, tokens, columns, order);
            defer expected.deinit();
            const received = try prepare.Made.init(avx512.run, x, tokens, columns, order);
            defer received.deinit();
            try prepare.expectSameParts(expected, received, tokens, 0);
            if (tokens > prepared.table_tokens_max) return;
            const layout = expected.layout;
            const values = expected.part(i8, layout.values_offset, tokens * layout.padded_columns);
            for (0..tokens) |token| for (0..layout.blocks) |block| {
                const place = prepared.WidePlace.init(tokens, layout.blocks, token, block);
                const tables = received.bytes[layout.tables_offset + place.offset ..];
                const of_block = values[(token * layout.blocks + block) * 256 ..][0..256];
                for (0..64) |block_of_four| {
                    const quad = of_block[block_of_four * 4 ..][0..4];
                    const table = tables[block_of_four * place.stride ..][0..64];
                    if (tokens == 1) try expectDigits(quad, table) else try expectWords(quad, table);
                }
            };
        }
    }.check);
}

fn expectDigits(quad: *const [4]i8, table: *const [64]u8) !void {
    for (0..32) |number| {
        const low: i8 = @bitCast(table[number]);
        const high: i8 = @bitCast(table[32 + number]);
        try std.testing.expectEqual(sumOf(quad, number), @as(i32, high) * prepare.digit_radix + low);
        // The bounds that sums of eight digits as bytes need.
        try std.testing.expect(@abs(low) <= 15 and @abs(high) <= 12);
    }
}

fn expectWords(quad: *const [4]i8, table: *const [64]u8) !void {
    for (0..32) |number| {
        try std.testing.expectEqual(sumOf(quad, number), std.mem.readInt(i16, table[2 * number ..][0..2], .little));
    }
}

/// The sum that a code names, `number` being its index with the sign as the fifth bit.
fn sumOf(quad: *const [4]i8, number: usize) i32 {
    const weights = format.decode(.{ .index = @intCast(number % 16), .negative = @intCast(number / 16) });
    var sum: i32 = 0;
    for (weights, quad) |weight, value| sum += @as(i32, weight) * value;
    return sum;
}
