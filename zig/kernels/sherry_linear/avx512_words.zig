//! sherry_linear.zig's contract for several tokens with AVX-512: vpermw chooses among 32 words, so that a table holds the
//! sixteen sums that an index can name and their negatives, and neither sign nor digits remain. Two look-ups and two
//! additions of 64 bytes take 64 rows of a block of four for one token; the indexes, which as words cost more than as
//! bytes, are made once for eight. They are words without being widened: of two neighbouring rows' bytes the lower one is
//! a word's lowest bits already and the upper one a shift away, and what is above an index's five bits means nothing to
//! vpermw.
//!
//! Bounds: as in avx2.zig.
const std = @import("std");
const format = @import("../../format.zig");
const sum_tables = @import("../sum_tables.zig");
const sherry_linear = @import("../sherry_linear.zig");
const tiles = @import("x86_tiles.zig");
const x86 = @import("../x86.zig");

const Operands = sherry_linear.Operands;
const WideBytes = x86.WideBytes;
const WideWords = x86.WideWords;

pub const tokens_together = sum_tables.group_tokens;
const block_bytes = sum_tables.wide_block_table_bytes;

/// The tables of a token from an activation block's chunk `chunk` on; the next token's follow, in each block of four.
pub inline fn tablesOf(
    comptime tokens: usize,
    operands: *const Operands,
    group_token: usize,
    activation_block: usize,
    chunk: usize,
) [*]const u8 {
    return operands.wideTablesOf(group_token, activation_block) + chunk * chunkTablesBytes(tokens);
}

inline fn chunkTablesBytes(comptime tokens: usize) usize {
    return format.chunk_blocks * tokens * block_bytes;
}

/// Halves of a tile that share one pass over the codes.
pub fn halvesTogether(comptime _: usize) usize {
    return 2;
}

/// The sums of a tile's rows, in the order of format.byteOfRow: the even ones, the odd ones.
const Sums = [2]WideWords;

/// The integer sums over `count` chunks (at most eight, all of one activation block) from `codes` on.
pub inline fn sumSegment(
    comptime tokens: usize,
    comptime _: usize,
    codes: [*]const u8,
    tables: [*]const u8,
    count: usize,
) [tokens]Sums {
    var sums: [tokens]Sums = @splat(@splat(@splat(0)));
    for (0..count) |chunk| {
        addChunk(tokens, codes + chunk * format.chunk_bytes, tables + chunk * chunkTablesBytes(tokens), &sums);
    }
    return sums;
}

inline fn addChunk(comptime tokens: usize, chunk: [*]const u8, tables: [*]const u8, sums: *[tokens]Sums) void {
    // Bit 4 of each sign byte is the sign of the block at hand: doubling brings up the next one. Of the first three blocks'
    // signs it is that of the byte moved down.
    const loaded = x86.loadWide(chunk + format.chunk_signs_offset);
    var signs: WideBytes = undefined;
    const nibble: WideBytes = @splat(15);
    inline for (0..format.chunk_blocks) |block| {
        signs = switch (block) {
            0 => @bitCast(@as(@Vector(32, u16), @bitCast(loaded)) >> @splat(3)),
            3 => loaded,
            else => x86.addWideBytes(signs, signs),
        };
        if (block < format.chunk_bytes / 64) x86.prefetch(chunk, tiles.prefetch_bytes + block * 64);
        // Both halves' nibbles in one vector: the second half's are moved down.
        const both = x86.load(chunk + block * format.vector_bytes);
        const twice: @Vector(32, u16) = @bitCast(std.simd.repeat(64, both));
        const halves: WideBytes = @bitCast(twice >> half_shifts);
        const lower: WideWords = @bitCast((halves & nibble) | (signs & ~nibble));
        const upper: WideWords = @bitCast(@as(@Vector(32, u16), @bitCast(lower)) >> @splat(8));
        inline for (sums, 0..) |*token_sums, token| {
            const table: WideWords = @bitCast(x86.loadWide(tables + (block * tokens + token) * block_bytes));
            const even = x86.lookUpWords(table, lower);
            const odd = x86.lookUpWords(table, upper);
            token_sums[0] = x86.addWords(token_sums[0], even);
            token_sums[1] = x86.addWords(token_sums[1], odd);
        }
    }
}

const half_shifts: @Vector(32, u16) = std.simd.join(@as(@Vector(16, u16), @splat(0)), @as(@Vector(16, u16), @splat(4)));

pub const lanes = 16;

/// Sums of sixteen rows a vector, in order.
pub inline fn inOrder(sums: Sums) [4]x86.WideDoubleWords {
    var in_order: [4]x86.WideDoubleWords = undefined;
    inline for (&in_order, 0..) |*integers, part| {
        // A word beside itself is a 32-bit number whose upper half is the word: a shift extends the sign.
        const twice: x86.WideDoubleWords = @bitCast(@shuffle(i16, sums[0], sums[1], wordsTwice(part * 16)));
        integers.* = twice >> @splat(16);
    }
    return in_order;
}

/// Where the sums of sixteen rows from `first_row` on lie, each named twice.
fn wordsTwice(comptime first_row: usize) [32]i32 {
    @setEvalBranchQuota(2000);
    var order: [32]i32 = undefined;
    for (0..16) |row| {
        const byte = (first_row + row) / 32 * 32 + format.byteOfRow(first_row + row);
        const word: i32 = byte / 2;
        const place = if (byte % 2 == 0) word else ~word;
        order[2 * row ..][0..2].* = .{ place, place };
    }
    return order;
}
