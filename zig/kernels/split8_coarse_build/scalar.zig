//! The reference of split8_coarse_build.zig, in plain loops.
const std = @import("std");
const format = @import("../../format.zig");
const coarse = @import("../split8_coarse.zig");
const coarse_build = @import("../split8_coarse_build.zig");
const rotation = @import("../split8_rotation.zig");
const upper = @import("../split8_upper.zig");
const Arguments = coarse_build.Arguments;

const block_columns = format.activation_block_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const layout = coarse.Layout.init(a.rows, a.columns).?;
    if (begin == end) return;
    for (begin * upper.tile_rows..@min(end * upper.tile_rows, a.rows)) |row| {
        coarse_build.writeFactors(a, layout, row, writeCodes(a, layout, row));
    }
    if (end == upper.tileCount(a.rows)) coarse_build.clearRowsAfter(a, layout);
}

fn writeCodes(a: *const Arguments, layout: coarse.Layout, row: usize) coarse_build.Sums {
    const sizes = rotation.Rotation.init(a.columns).?;
    var buffer: [rotation.padded_columns_max]i32 = undefined;
    const rotated = buffer[0..sizes.padded_columns];
    var sums = coarse_build.Sums{ .squares = 0, .products = 0, .code_squares = 0 };
    for (rotated, 0..) |*value, column| {
        const weight = if (column < a.columns) weightAt(a, row, column) else 0;
        sums.squares += weight * weight;
        value.* = if (rotation.isNegative(column)) -weight else weight;
    }
    transformPlainly(rotated, sizes.transform_columns);
    const threshold = coarse_build.thresholdOf(sums.squares, sizes);
    for (0..layout.blocks) |block| {
        const bytes = a.coarse[layout.blockOffset(row, block)..][0..coarse.block_bytes];
        @memset(bytes, 0);
        for (rotated[block * block_columns ..][0..block_columns], 0..) |value, column| {
            const code: u8 = if (value >= threshold) 3 else if (value >= 0) 2 else if (value >= -threshold) 1 else 0;
            const place = coarse.codePlace(column);
            bytes[place.byte] |= code << place.shift;
            const twice = 2 * @as(i32, code) - 3;
            sums.products += value * twice;
            sums.code_squares += twice * twice;
        }
    }
    return sums;
}

fn weightAt(a: *const Arguments, row: usize, column: usize) i32 {
    const layout = format.split8.Layout.init(a.rows, a.columns).?;
    const place = format.split8.nibblePlace(column);
    const high = a.weights + row * layout.row_bytes;
    const low = high + layout.low_offset;
    const stored = @as(i32, high[place.byte] >> place.shift & 15) * 16 + (low[place.byte] >> place.shift & 15);
    return stored - format.split8.magnitude_max - format.split8.ditherOf(column);
}

/// The Walsh-Hadamard transform of every `transform_columns` values.
fn transformPlainly(values: []i32, transform_columns: usize) void {
    var half: usize = 1;
    while (half < transform_columns) : (half *= 2) {
        for (0..values.len) |index| if (index & half == 0) {
            const a = values[index];
            const b = values[index + half];
            values[index] = a + b;
            values[index + half] = a - b;
        };
    }
}
