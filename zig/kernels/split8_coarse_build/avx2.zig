//! split8_coarse_build.zig on vectors of 32 columns, half a chunk of the planes and a field of the codes.
const std = @import("std");
const format = @import("../../format.zig");
const coarse = @import("../split8_coarse.zig");
const coarse_build = @import("../split8_coarse_build.zig");
const rotation = @import("../split8_rotation.zig");
const upper = @import("../split8_upper.zig");
const x86 = @import("../x86.zig");
const Arguments = coarse_build.Arguments;

const split8 = format.split8;
const block_columns = format.activation_block_columns;
/// Columns that share a half of a chunk's bytes, and those that share a field of the codes' bytes.
const part_columns = 32;
const Part = @Vector(part_columns, i32);

comptime {
    if (split8.chunk_columns != 2 * part_columns or coarse.vector_columns != 4 * part_columns) {
        @compileError("a part must be half a chunk and a field of the codes");
    }
}

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const layout = coarse.Layout.init(a.rows, a.columns).?;
    if (begin == end) return;
    var buffers: Buffers = undefined;
    buffers.init(a.columns);
    for (begin * upper.tile_rows..@min(end * upper.tile_rows, a.rows)) |row| {
        coarse_build.writeFactors(a, layout, row, buffers.writeCodes(a, layout, row));
    }
    if (end == upper.tileCount(a.rows)) coarse_build.clearRowsAfter(a, layout);
}

const Buffers = struct {
    sizes: rotation.Rotation,
    /// What a stored value is more than its weight: 120 and the dither.
    offsets: [rotation.padded_columns_max]i16,
    /// All bits where the sign of a column is negative, none where it is not.
    signs: [rotation.padded_columns_max]i16,
    rotated: [rotation.padded_columns_max]i32 align(64),

    fn init(self: *Buffers, columns: usize) void {
        self.sizes = rotation.Rotation.init(columns).?;
        for (0..self.sizes.padded_columns) |column| {
            self.offsets[column] = @as(i16, split8.magnitude_max) + split8.ditherOf(column);
            self.signs[column] = if (rotation.isNegative(column)) -1 else 0;
        }
    }

    fn writeCodes(self: *Buffers, a: *const Arguments, layout: coarse.Layout, row: usize) coarse_build.Sums {
        const squares = self.loadRow(a, row);
        const rotated = self.rotated[0..self.sizes.padded_columns];
        rotation.transform(i32, rotated, self.sizes.transform_columns);
        const threshold = coarse_build.thresholdOf(squares, self.sizes);
        var products: Part = @splat(0);
        var code_squares: Part = @splat(0);
        for (0..layout.blocks) |block| {
            const bytes = a.coarse[layout.blockOffset(row, block)..][0..coarse.block_bytes];
            for (0..block_columns / coarse.vector_columns) |vector| {
                var packed_codes: @Vector(part_columns, u8) = @splat(0);
                inline for (0..4) |field| {
                    const column = block * block_columns + vector * coarse.vector_columns + field * part_columns;
                    const values: Part = rotated[column..][0..part_columns].*;
                    const codes = at(values, threshold) + at(values, 0) + at(values, -threshold);
                    const twice = codes + codes - @as(Part, @splat(3));
                    products = products + values * twice;
                    code_squares = code_squares + twice * twice;
                    packed_codes |= @as(@Vector(part_columns, u8), @intCast(codes)) << @splat(2 * field);
                }
                bytes[vector * part_columns ..][0..part_columns].* = packed_codes;
            }
        }
        return .{
            .squares = squares,
            .products = @reduce(.Add, products),
            .code_squares = @reduce(.Add, code_squares),
        };
    }

    /// The row's int8 weights with the rotation's signs, to `rotated`; returns the sum of their squares.
    fn loadRow(self: *Buffers, a: *const Arguments, row: usize) i32 {
        const layout = split8.Layout.init(a.rows, a.columns).?;
        const high = a.weights + row * layout.row_bytes;
        const low = high + layout.low_offset;
        for (0..layout.padded_columns / split8.chunk_columns) |chunk| {
            const high_bytes = x86.load(high + chunk * split8.chunk_bytes);
            const low_bytes = x86.load(low + chunk * split8.chunk_bytes);
            const low_half: x86.Bytes = @splat(15);
            const stored = [2]x86.Bytes{
                (high_bytes << @splat(4)) | (low_bytes & low_half),
                (high_bytes & ~low_half) | (low_bytes >> @splat(4)),
            };
            inline for (stored, 0..) |values, half| {
                const column = chunk * split8.chunk_columns + half * part_columns;
                const offsets: @Vector(part_columns, i16) = self.offsets[column..][0..part_columns].*;
                const signs: @Vector(part_columns, i16) = self.signs[column..][0..part_columns].*;
                const weights = @as(@Vector(part_columns, i16), values) - offsets;
                self.rotated[column..][0..part_columns].* = @as(Part, (weights ^ signs) - signs);
            }
        }
        // Nibbles past K are zero in a valid file, and no weights in any.
        @memset(self.rotated[a.columns..self.sizes.padded_columns], 0);
        var squares: Part = @splat(0);
        var column: usize = 0;
        while (column < self.sizes.padded_columns) : (column += part_columns) {
            const values: Part = self.rotated[column..][0..part_columns].*;
            squares = squares + values * values;
        }
        return @reduce(.Add, squares);
    }
};

/// 1 where a value is at least `limit`, else 0.
inline fn at(values: Part, limit: i32) Part {
    return @select(i32, values >= @as(Part, @splat(limit)), @as(Part, @splat(1)), @as(Part, @splat(0)));
}
