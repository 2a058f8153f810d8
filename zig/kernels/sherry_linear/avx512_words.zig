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
const scale = @import("x86_scale.zig");
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
    codes: tiles.Codes,
    tables: [*]const u8,
    count: usize,
) [tokens]Sums {
    var sums: [tokens]Sums = @splat(@splat(@splat(0)));
    for (0..count) |chunk| {
        addChunk(tokens, codes.from(chunk), tables + chunk * chunkTablesBytes(tokens), &sums);
    }
    return sums;
}

inline fn addChunk(comptime tokens: usize, codes: tiles.Codes, tables: [*]const u8, sums: *[tokens]Sums) void {
    var making = Making{ .chunk = codes.start };
    inline for (0..Making.steps) |step| making.take(0, step);
    inline for (0..format.chunk_blocks) |block| {
        const indexes = making.indexes;
        codes.fetch(block);
        inline for (sums, 0..) |*token_sums, token| {
            const table: WideWords = @bitCast(x86.loadWide(tables + (block * tokens + token) * block_bytes));
            const even = x86.lookUpWords(table, indexes[0]);
            const odd = x86.lookUpWords(table, indexes[1]);
            token_sums[0] = x86.addWords(token_sums[0], even);
            token_sums[1] = x86.addWords(token_sums[1], odd);
            if (block + 1 < format.chunk_blocks and token < Making.steps) making.take(block + 1, token);
        }
        if (block + 1 < format.chunk_blocks) {
            inline for (@min(tokens, Making.steps)..Making.steps) |step| making.take(block + 1, step);
        }
    }
}

/// The indexes of a block of four, made in steps that are taken among the look-ups of the block before: the look-ups would
/// otherwise all wait for them, and fill what the CPU looks ahead at.
const Making = struct {
    chunk: [*]const u8,
    loaded: WideBytes = undefined,
    signs: WideBytes = undefined,
    halves: WideBytes = undefined,
    indexes: [2]WideWords = undefined,

    const steps = 4;

    inline fn take(self: *Making, comptime block: usize, comptime step: usize) void {
        switch (step) {
            0 => {
                // Bit 4 of each sign byte is the sign of the block at hand: doubling brings up the next one. Of the first
                // three blocks' signs it is that of the byte moved down.
                if (block == 0) self.loaded = x86.loadWide(self.chunk + format.chunk_signs_offset);
                self.signs = switch (block) {
                    0 => x86.shiftWordsRight(self.loaded, @splat(3)),
                    3 => self.loaded,
                    else => x86.addWideBytes(self.signs, self.signs),
                };
            },
            1 => {
                // Both halves' nibbles in one vector: the second half's are moved down.
                const both = x86.load(self.chunk + block * format.vector_bytes);
                self.halves = x86.shiftWordsRight(std.simd.repeat(64, both), half_shifts);
            },
            2 => self.indexes[0] = @bitCast(x86.selectBits(@splat(15), self.halves, self.signs)),
            // A product's upper half is the word moved right by eight bits, without the units that shift and look up.
            3 => self.indexes[1] = x86.multiplyHighUnsigned(self.indexes[0], @splat(1 << 8)),
            else => comptime unreachable,
        }
    }
};

const half_shifts: WideWords = std.simd.join(@as(x86.Words, @splat(0)), @as(x86.Words, @splat(4)));

pub const lanes = 16;

/// Widens the sums to integers of 32 bits, in the order `row_order`. Two words multiplied by 1 and 0 and added up are the
/// first one widened: unlike shifts, this leaves alone the units that look up.
pub inline fn widened(sums: Sums) [4]x86.WideDoubleWords {
    const first: WideWords = @bitCast(@as(x86.WideDoubleWords, @splat(1)));
    const second: WideWords = @bitCast(@as(x86.WideDoubleWords, @splat(1 << 16)));
    return .{
        x86.multiplyAddWideWords(sums[0], first),
        x86.multiplyAddWideWords(sums[0], second),
        x86.multiplyAddWideWords(sums[1], first),
        x86.multiplyAddWideWords(sums[1], second),
    };
}

/// The row of each sum that `widened` returns: every fourth byte of the codes from one of the first four on.
pub const row_order: scale.RowOrder = order: {
    var order: scale.RowOrder = undefined;
    for ([_]usize{ 0, 2, 1, 3 }, 0..) |first_byte, part| {
        for (order[part * lanes ..][0..lanes], 0..) |*row, lane| {
            const byte = first_byte + 4 * lane;
            row.* = format.rowOfByte(byte % format.vector_bytes, byte / format.vector_bytes);
        }
    }
    break :order order;
};
