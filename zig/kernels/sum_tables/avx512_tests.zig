//! sum_tables/avx512.zig against the sums that the codes name.
const std = @import("std");
const sum_tables = @import("../sum_tables.zig");
const testing = @import("../testing.zig");

test "AVX-512 makes tables in which the codes find their signed sums" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    try sum_tables.forEachTables(@import("avx512.zig").fillBlock, struct {
        fn check(place: sum_tables.TablePlace, values: *const [256]i8) !void {
            const wide = place.wide();
            for (0..64) |block| {
                const quad = values[block * 4 ..][0..4];
                const table = place.all[wide.offset + block * wide.stride ..][0..64];
                if (place.tokens == 1) try expectDigits(quad, table) else try expectWords(quad, table);
            }
        }
    }.check);
}

fn expectDigits(quad: *const [4]i8, table: *const [64]u8) !void {
    for (0..32) |number| {
        const low: i8 = @bitCast(table[number]);
        const high: i8 = @bitCast(table[32 + number]);
        try std.testing.expectEqual(sum_tables.sumOf(quad, number), @as(i32, high) * sum_tables.digit_radix + low);
        // The bounds that sums of eight digits as bytes need.
        try std.testing.expect(@abs(low) <= 15 and @abs(high) <= 12);
    }
}

fn expectWords(quad: *const [4]i8, table: *const [64]u8) !void {
    for (0..32) |number| {
        const word = std.mem.readInt(i16, table[2 * number ..][0..2], .little);
        try std.testing.expectEqual(sum_tables.sumOf(quad, number), word);
    }
}
