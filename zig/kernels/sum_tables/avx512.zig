//! sum_tables.zig's wide tables with AVX-512, 64 bytes for a block of four, in which an index with the sign as its fifth bit
//! finds the signed sum. Of one token alone they hold digits, for sherry_linear/avx512_digits.zig: the sixteen low digits,
//! their negatives, the sixteen high digits, their negatives. Of several tokens they hold words, for
//! sherry_linear/avx512_words.zig: the sixteen sums, their negatives.
const std = @import("std");
const format = @import("../../format.zig");
const avx2 = @import("avx2.zig");
const sum_tables = @import("../sum_tables.zig");
const x86 = @import("../x86.zig");

const block_bytes = sum_tables.wide_block_table_bytes;
const Sums = x86.WideDoubleWords;

pub fn fillBlock(values: *const [format.activation_block_columns]i8, place: sum_tables.TablePlace) void {
    const wide = place.wide();
    const tables = place.all + wide.offset;
    if (place.tokens > 1) return fillWords(values, tables, wide.stride);
    for (0..4) |part| fillDigits(values[part * 64 ..][0..64], tables[part * 16 * block_bytes ..][0 .. 16 * block_bytes]);
}

/// The digits of sixteen blocks of four.
fn fillDigits(values: *const [64]i8, tables: *[16 * block_bytes]u8) void {
    const digits = avx2.digitsOf(values);
    inline for (.{ digits.low, digits.high }, 0..) |vectors, place| {
        inline for (vectors, 0..) |vector, block| {
            const negative = @as(x86.Bytes, @splat(0)) -% vector;
            tables[block * block_bytes + place * 32 ..][0..32].* = x86.firstLanes(vector, negative);
            tables[(block + 8) * block_bytes + place * 32 ..][0..32].* = x86.secondLanes(vector, negative);
        }
    }
}

/// The sums of all blocks of four as words, two blocks at a time. The instruction multiplies unsigned bytes by signed ones, so
/// that the values are raised by 128 and what this adds is taken off again.
fn fillWords(values: *const [format.activation_block_columns]i8, tables: [*]u8, stride: usize) void {
    var raised: [format.activation_block_columns]u8 align(64) = undefined;
    for (0..raised.len / 64) |part| {
        const loaded = x86.loadWide(@as([*]const u8, @ptrCast(values)) + part * 64);
        raised[part * 64 ..][0..64].* = loaded ^ @as(x86.WideBytes, @splat(0x80));
    }
    const quads: *const [raised.len / format.block_columns]u32 = @ptrCast(&raised);
    for (0..quads.len / 2) |pair| {
        const first: x86.WideWords = @bitCast(sumsOf(quads[2 * pair]));
        const second: x86.WideWords = @bitCast(sumsOf(quads[2 * pair + 1]));
        const sums = @shuffle(i16, first, second, lower_words);
        const negatives = @as(x86.WideWords, @splat(0)) -% sums;
        inline for (0..2) |block| {
            const table = tables + (2 * pair + block) * stride;
            inline for (.{ sums, negatives }, 0..) |words, half| {
                const of_block: x86.Bytes = @bitCast(std.simd.extract(words, block * 16, 16));
                table[half * block_bytes / 2 ..][0 .. block_bytes / 2].* = of_block;
            }
        }
    }
}

/// The sixteen sums of a raised block of four.
inline fn sumsOf(quad: u32) Sums {
    return x86.addWideProducts(raised_excess, @bitCast(@as(@Vector(16, u32), @splat(quad))), index_weights);
}

/// The lower word of each of sixteen sums, then of each of sixteen others.
const lower_words = order: {
    var order: [32]i32 = undefined;
    for (0..16) |index| {
        order[index] = 2 * index;
        order[16 + index] = ~@as(i32, 2 * index);
    }
    break :order order;
};

/// The weights of a block of four that each index names, the first sign +.
const index_weights: x86.WideBytes = weights: {
    var weights: [64]u8 = undefined;
    for (0..16) |index| {
        for (format.decode(.{ .index = index, .negative = 0 }), 0..) |weight, position| {
            weights[4 * index + position] = @bitCast(weight);
        }
    }
    break :weights weights;
};

/// What takes off 128 times the weights' sum.
const raised_excess: Sums = excess: {
    var excess: [16]i32 = @splat(0);
    for (&excess, 0..) |*entry, index| {
        for (format.decode(.{ .index = index, .negative = 0 })) |weight| entry.* -= 128 * @as(i32, weight);
    }
    break :excess excess;
};
