//! prepare/avx512.zig against the scalar level.
const std = @import("std");
const format = @import("../../format.zig");
const avx512 = @import("avx512.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const scalar = @import("scalar.zig");
const testing = @import("../testing.zig");

test "AVX-512 prepares the same values and sums as scalar, and the same digits with their negatives" {
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
            for (0..tokens * layout.blocks) |index| {
                const narrow = expected.bytes[layout.tables_offset + index * prepared.table_bytes ..][0..prepared.table_bytes];
                try expectWide(narrow, received.bytes[layout.tables_offset + index * prepared.wide_table_bytes ..]);
            }
        }
    }.check);
}

fn expectWide(narrow: *const [prepared.table_bytes]u8, wide: []const u8) !void {
    for (0..64) |block| for ([_]usize{ 0, prepared.table_high_offset }, 0..) |offset, place| for (0..16) |index| {
        const digit: i8 = @bitCast(narrow[prepared.tableOffset(block) + offset + index]);
        const of_block = wide[block * 64 + place * 32 ..];
        try std.testing.expectEqual(digit, @as(i8, @bitCast(of_block[index])));
        try std.testing.expectEqual(-digit, @as(i8, @bitCast(of_block[16 + index])));
    };
}
