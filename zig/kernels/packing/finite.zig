//! Where the first infinity or NaN lies: one pass without branches for the usual answer, nowhere.
const std = @import("std");

const exponent_mask: u32 = 0x7f80_0000;

/// The index of the first value that is not finite; null when all are.
pub fn firstNotFinite(values: []const f32) ?usize {
    var largest: u32 = 0;
    for (values) |value| largest = @max(largest, @as(u32, @bitCast(value)) & exponent_mask);
    if (largest != exponent_mask) return null;
    for (values, 0..) |value, index| if (!std.math.isFinite(value)) return index;
    unreachable;
}

test "the first bad value, wherever it lies" {
    var values: [37]f32 = @splat(-std.math.floatMax(f32));
    try std.testing.expectEqual(null, firstNotFinite(&values));
    try std.testing.expectEqual(null, firstNotFinite(values[0..0]));
    for ([_]f32{ std.math.inf(f32), -std.math.inf(f32), std.math.nan(f32) }) |bad| {
        for (0..values.len) |place| {
            const before = values[place];
            values[36] = bad;
            values[place] = bad;
            try std.testing.expectEqual(place, firstNotFinite(&values));
            values[place] = before;
            values[36] = before;
        }
    }
}
