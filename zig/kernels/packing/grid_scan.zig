//! Is a tile on the 3:4 grid already? On it, every segment of 32 columns (the last of a row may be short) has one alpha:
//! each block of four holds exactly one zero and three weights of +-alpha; or the whole segment is zero and alpha is 0.
//! Such a tensor is packed without loss. -0.0 counts as zero.
//!
//! Legend: R rows of the tile, K columns, S segments = K / 32 rounded up.
const std = @import("std");
const format = @import("../../format.zig");

pub const segment_columns = format.chunk_columns;

/// Whether `tile` f32 [R][K] is on the grid; if so `alphas` f32 [R][S] hold its segments' scales, else they are without
/// meaning. K is a multiple of four; the weights are finite.
pub fn run(tile: []const f32, columns: usize, alphas: []f32) bool {
    var row_start: usize = 0;
    var segment: usize = 0;
    while (row_start < tile.len) : (row_start += columns) {
        const row = tile[row_start..][0..columns];
        var column: usize = 0;
        while (column < columns) : (column += segment_columns) {
            const length = @min(segment_columns, columns - column);
            alphas[segment] = alphaOf(row[column..][0..length]) orelse return false;
            segment += 1;
        }
    }
    return true;
}

fn alphaOf(weights: []const f32) ?f32 {
    // The first block's two first weights cannot both be zero on the grid, unless everything is.
    const alpha = @max(@abs(weights[0]), @abs(weights[1]));
    const zero: @Vector(4, f32) = @splat(0);
    const kept: @Vector(4, f32) = @splat(alpha);
    const wanted_zeros: u8 = if (alpha == 0) format.block_columns else 1;
    var wrong: u8 = 0;
    var index: usize = 0;
    while (index < weights.len) : (index += format.block_columns) {
        const block: @Vector(4, f32) = @abs(@as(@Vector(4, f32), weights[index..][0..4].*));
        const zeros: u8 = @popCount(@as(u4, @bitCast(block == zero)));
        const at_alpha: u8 = @popCount(@as(u4, @bitCast(block == kept)));
        wrong |= zeros ^ wanted_zeros;
        // With alpha 0 the two counts are the same four weights.
        wrong |= at_alpha ^ (if (alpha == 0) wanted_zeros else format.block_columns - 1);
    }
    return if (wrong == 0) alpha else null;
}

test "grid rows give their alphas; one weight off the grid is noticed wherever it lies" {
    var random = std.Random.DefaultPrng.init(20260107);
    const columns_of = [_]usize{ 4, 28, 32, 36, 64, 100 };
    for (columns_of) |columns| {
        const rows = 3;
        const segments = (columns + segment_columns - 1) / segment_columns;
        var tile: [rows * 100]f32 = undefined;
        var expected: [rows * 4]f32 = undefined;
        for (0..rows) |row| for (0..segments) |segment| {
            const alpha: f32 = if (random.random().uintLessThan(u32, 4) == 0) 0 else random.random().float(f32) + 0.1;
            expected[row * segments + segment] = alpha;
            const end = @min(columns, (segment + 1) * segment_columns);
            var column = segment * segment_columns;
            while (column < end) : (column += 4) {
                const weights = format.decode(.{ .index = random.random().int(u4), .negative = random.random().int(u1) });
                for (weights, 0..) |weight, position| {
                    tile[row * columns + column + position] = @as(f32, @floatFromInt(weight)) * alpha;
                }
            }
        };
        var alphas: [rows * 4]f32 = undefined;
        const whole = tile[0 .. rows * columns];
        try std.testing.expect(run(whole, columns, &alphas));
        try std.testing.expectEqualSlices(f32, expected[0 .. rows * segments], alphas[0 .. rows * segments]);
        for (whole) |*weight| {
            const before = weight.*;
            for ([_]f32{ before + 0.01, if (before == 0) 0.5 else 0 }) |other| {
                weight.* = other;
                try std.testing.expect(!run(whole, columns, &alphas));
            }
            weight.* = -before;
            try std.testing.expect(run(whole, columns, &alphas));
            weight.* = before;
        }
    }
}
