//! prepare.zig's contract with AVX2: eight floats at a time.
const std = @import("std");
const format = @import("../../format.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const x86 = @import("../x86.zig");

const Floats = x86.Floats;
const Bytes = x86.Bytes;
const Words = x86.Words;
const DoubleWords = x86.DoubleWords;
const block_columns = format.activation_block_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const input: *const prepare.Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |unit| {
        quantizeBlock(prepare.Target.init(input, unit));
    }
}

fn quantizeBlock(target: prepare.Target) void {
    if (target.x.len == block_columns) return quantize(target.x[0..block_columns], target);
    var padded: [block_columns]f32 = @splat(0);
    @memcpy(padded[0..target.x.len], target.x);
    quantize(&padded, target);
}

fn quantize(x: *const [block_columns]f32, target: prepare.Target) void {
    const largest_bits = largestMagnitudeBits(x);
    const largest: f32 = @bitCast(largest_bits);
    target.scale.* = prepare.blockScale(largest_bits < prepare.infinity_bits, largest);
    if (!(target.scale.* > 0)) {
        @memset(target.values, 0);
        @memset(target.sums, 0);
        @memset(target.half_sums, 0);
        return;
    }
    const inverse: Floats = @splat(127 / largest);
    var values: [block_columns / 32]Bytes = undefined;
    inline for (&values, 0..) |*chunk, number| chunk.* = quantizeChunk(x[number * 32 ..][0..32], inverse);
    switch (target.column_order) {
        .natural => {},
        .strided => inline for (0..values.len / 2) |pair| stride(values[2 * pair ..][0..2]),
    }
    inline for (values, 0..) |chunk, number| {
        target.values[number * 32 ..][0..32].* = @as(@Vector(32, i8), @bitCast(chunk));
    }
    addUp(values, target);
}

/// 64 columns to format.ColumnOrder.strided. With rows of sixteen columns that is a transposition: of the four rows' column
/// r it makes the four neighbours 4 r .. 4 r + 3.
inline fn stride(columns: *[2]Bytes) void {
    const even = x86.firstLanes(columns[0], columns[1]);
    const odd = x86.secondLanes(columns[0], columns[1]);
    // Each lane: columns 0-7 (8-15) of two rows by turns; rows 0 and 1 in the first lane, 2 and 3 in the second.
    const low = x86.interleaveLowBytes(even, odd);
    const high = x86.interleaveHighBytes(even, odd);
    const first_rows: Words = @bitCast(x86.firstLanes(low, high));
    const second_rows: Words = @bitCast(x86.secondLanes(low, high));
    // Each lane: columns 0-3 and 8-11, then 4-7 and 12-15, of all four rows.
    const front: Bytes = @bitCast(x86.interleaveLowWords(first_rows, second_rows));
    const back: Bytes = @bitCast(x86.interleaveHighWords(first_rows, second_rows));
    columns.* = .{ x86.firstLanes(front, back), x86.secondLanes(front, back) };
}

/// Writes the sums of each 16 and each 32 columns: a transposition of all eight vectors at once leaves those of the even
/// sixteens in the first lane and those of the odd ones in the second, the order of prepared.halfSumPlace.
inline fn addUp(values: [8]Bytes, target: prepare.Target) void {
    var pairs: [8]Words = undefined;
    inline for (&pairs, values) |*words, chunk| words.* = x86.multiplyAddBytes(@splat(1), chunk);
    var fours: [4]Words = undefined;
    inline for (&fours, 0..) |*words, number| words.* = x86.addNeighbourWords(pairs[2 * number], pairs[2 * number + 1]);
    const eights = [2]Words{ x86.addNeighbourWords(fours[0], fours[1]), x86.addNeighbourWords(fours[2], fours[3]) };
    const sixteens: [16]i16 = x86.addNeighbourWords(eights[0], eights[1]);
    target.half_sums.* = sixteens;
    const even: DoubleWords = @as(@Vector(8, i16), sixteens[0..8].*);
    const odd: DoubleWords = @as(@Vector(8, i16), sixteens[8..16].*);
    target.sums.* = even + odd;
}

/// The bits of max|x|. As integers the bits of non-negative floats keep the floats' order, with infinity and NaN above
/// all others, so one integer maximum finds both the magnitude and what is not finite.
fn largestMagnitudeBits(x: *const [block_columns]f32) u32 {
    const Bits = @Vector(8, u32);
    const magnitude: Bits = @splat(0x7fff_ffff);
    var largest: [4]Bits = @splat(@splat(0));
    var column: usize = 0;
    while (column < block_columns) : (column += 32) {
        inline for (&largest, 0..) |*maximum, part| {
            const floats: Floats = x[column + part * 8 ..][0..8].*;
            maximum.* = @max(maximum.*, @as(Bits, @bitCast(floats)) & magnitude);
        }
    }
    return @reduce(.Max, @max(@max(largest[0], largest[1]), @max(largest[2], largest[3])));
}

/// 32 floats to 32 signed bytes in order. The packs work in each lane, so four bytes at a time end up in an order that
/// one permutation sets right.
inline fn quantizeChunk(x: *const [32]f32, inverse: Floats) Bytes {
    var integers: [4]DoubleWords = undefined;
    inline for (&integers, 0..) |*rounded, part| {
        rounded.* = x86.roundToIntegers(@as(Floats, x[part * 8 ..][0..8].*) * inverse);
    }
    const low = x86.packDoubleWords(integers[0], integers[1]);
    const high = x86.packDoubleWords(integers[2], integers[3]);
    const quads: DoubleWords = @bitCast(x86.packWords(low, high));
    return @bitCast(@shuffle(i32, quads, undefined, [8]i32{ 0, 4, 1, 5, 2, 6, 3, 7 }));
}
