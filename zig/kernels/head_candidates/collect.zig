//! Which rows' scores lie between two thresholds, looking only into tiles whose maximum reaches the lower one.
const std = @import("std");
const upper = @import("../split8_upper.zig");

/// Lists the rows with minimum <= score < below, by ascending id. Null when `list` cannot hold them.
pub fn collect(scores: []const f32, tile_maxima: []const f32, minimum: f32, below: f32, list: []u32) ?usize {
    const Scores = @Vector(16, f32);
    var count: usize = 0;
    for (tile_maxima, 0..) |maximum, tile| {
        if (maximum < minimum) continue;
        var row = tile * upper.tile_rows;
        const end = @min(row + upper.tile_rows, scores.len);
        while (row < end) : (row += 16) {
            var sixteen: [16]f32 = @splat(-std.math.inf(f32));
            const length = @min(16, end - row);
            @memcpy(sixteen[0..length], scores[row..][0..length]);
            const vector: Scores = sixteen;
            const inside = (vector >= @as(Scores, @splat(minimum))) & (vector < @as(Scores, @splat(below)));
            var places: u16 = @bitCast(inside);
            if (count + @popCount(places) > list.len) return null;
            while (places != 0) : (places &= places - 1) {
                list[count] = @intCast(row + @ctz(places));
                count += 1;
            }
        }
    }
    return count;
}

test "rows between two thresholds by ascending id, from any number of rows; too many for the list" {
    var source = std.Random.DefaultPrng.init(0xc011);
    const random = source.random();
    for ([_]usize{ 1, 15, 16, 17, 64, 65, 200 }) |rows| for (0..20) |_| {
        var scores: [200]f32 = undefined;
        for (scores[0..rows]) |*score| score.* = @floatFromInt(random.intRangeAtMost(i32, -4, 4));
        var tile_maxima: [4]f32 = undefined;
        const tiles = upper.tileCount(rows);
        for (tile_maxima[0..tiles], 0..) |*maximum, tile| {
            maximum.* = std.mem.max(f32, scores[tile * 64 .. @min(tile * 64 + 64, rows)]);
        }
        const minimum: f32 = @floatFromInt(random.intRangeAtMost(i32, -5, 5));
        const below = minimum + @as(f32, @floatFromInt(random.uintLessThan(u32, 5)));
        var expected: [200]u32 = undefined;
        var count: usize = 0;
        for (scores[0..rows], 0..) |score, row| if (score >= minimum and score < below) {
            expected[count] = @intCast(row);
            count += 1;
        };
        var list: [200]u32 = undefined;
        const found = collect(scores[0..rows], tile_maxima[0..tiles], minimum, below, &list).?;
        try std.testing.expectEqualSlices(u32, expected[0..count], list[0..found]);
        if (count > 0) {
            const short = list[0 .. count - 1];
            try std.testing.expectEqual(null, collect(scores[0..rows], tile_maxima[0..tiles], minimum, below, short));
        }
    };
}
