//! sherry_linear.zig's contract for one token by look-up, as in avx2.zig, with what AVX-512 VBMI adds: vpermb chooses among
//! 32 bytes, so that a table holds each digit and its negative (sum_tables/avx512.zig), the sign joins the index as its fifth
//! bit, and no sign is applied afterwards. For one token alone bytes are faster than the words of avx512_words.zig: their
//! indexes take fewer instructions, which nothing else shares.
//!
//! Measured no faster on Zen 4: 64 rows a vector.
//!
//! Bounds: of the digits as in avx2.zig; joined sums are 32-bit.
const format = @import("../../format.zig");
const scale = @import("x86_scale.zig");
const sum_tables = @import("../sum_tables.zig");
const sherry_linear = @import("../sherry_linear.zig");
const tiles = @import("x86_tiles.zig");
const x86 = @import("../x86.zig");

const Bytes = x86.Bytes;
const Operands = sherry_linear.Operands;
const Words = x86.Words;

const block_bytes = sum_tables.wide_block_table_bytes;
const chunk_tables_bytes = format.chunk_blocks * block_bytes;

pub const tokens_together = 1;

/// The token's tables from an activation block's chunk `chunk` on.
pub inline fn tablesOf(
    comptime _: usize,
    operands: *const Operands,
    group_token: usize,
    activation_block: usize,
    chunk: usize,
) [*]const u8 {
    return operands.wideTablesOf(group_token, activation_block) + chunk * chunk_tables_bytes;
}

/// Halves of a tile that share one pass over the codes.
pub fn halvesTogether(comptime _: usize) usize {
    return 2;
}

pub const lanes = 8;

/// The sums of a tile's rows, eight a vector, in order.
const Sums = [8]x86.DoubleWords;

pub const row_order = scale.natural_order;

pub inline fn widened(sums: Sums) Sums {
    return sums;
}

/// The digits of a tile's rows, added up over a chunk, by halves of the tile.
const Digits = struct { low: [2]Bytes, high: [2]Bytes };

const no_digits: Digits = .{ .low = @splat(@splat(0)), .high = @splat(@splat(0)) };

/// The integer sums over `count` chunks (at most eight, all of one activation block) from `codes` on.
pub inline fn sumSegment(
    comptime _: usize,
    comptime _: usize,
    codes: tiles.Codes,
    tables: [*]const u8,
    count: usize,
) [1]Sums {
    var sums: Sums = @splat(@splat(0));
    if (count == 4) {
        // A group of 128 columns, the usual one. A loop measured a few per cent slower.
        inline for (0..2) |pair| addPair(codes, tables, pair, &sums);
    } else {
        for (0..count / 2) |pair| addPair(codes, tables, pair, &sums);
        if (count % 2 == 1) join(&sums, .{ addUp(codes, tables, count - 1), no_digits });
    }
    return .{sums};
}

inline fn addPair(codes: tiles.Codes, tables: [*]const u8, pair: usize, sums: *Sums) void {
    join(sums, .{ addUp(codes, tables, 2 * pair), addUp(codes, tables, 2 * pair + 1) });
}

/// The digits of the segment's chunk `number`.
inline fn addUp(segment_codes: tiles.Codes, segment_tables: [*]const u8, number: usize) Digits {
    const codes = segment_codes.from(number);
    const chunk = codes.start;
    const tables = segment_tables + number * chunk_tables_bytes;
    // Bit 4 of each sign byte is the sign of the block at hand: doubling brings up the next one. Of the first three blocks'
    // signs it is that of the byte moved down.
    var signs: [2]Bytes = undefined;
    var sums: Digits = undefined;
    inline for (0..format.chunk_blocks) |block| {
        inline for (&signs, 0..) |*half_signs, half| {
            const loaded = x86.load(chunk + format.chunk_signs_offset + half * format.vector_bytes);
            half_signs.* = switch (block) {
                0 => shiftRight(loaded, 3),
                3 => loaded,
                else => x86.addBytes(half_signs.*, half_signs.*),
            };
        }
        codes.fetch(block);
        const both = x86.load(chunk + block * format.vector_bytes);
        // The nibble, and the sign as bit 4. What is above means nothing to vpermb.
        const nibble: Bytes = @splat(15);
        const indexes = [2]Bytes{
            (both & nibble) | (signs[0] & ~nibble),
            (shiftRight(both, 4) & nibble) | (signs[1] & ~nibble),
        };
        // All look-ups, then all sums: in this order the units that each can use are kept busy.
        var found: [2][2]Bytes = undefined;
        inline for (&found, .{ 0, block_bytes / 2 }) |*digits, offset| {
            inline for (digits, indexes) |*half_digits, half_indexes| {
                half_digits.* = x86.lookUpWide(tables, block * block_bytes + offset, half_indexes);
            }
        }
        inline for (.{ &sums.low, &sums.high }, found) |both_halves, digits| {
            inline for (both_halves, digits) |*sum, half_digits| {
                sum.* = if (block == 0) half_digits else x86.addBytes(sum.*, half_digits);
            }
        }
    }
    return sums;
}

/// Adds two chunks' digits to the sums: of each row four bytes side by side, low and high digit of both chunks, times
/// (1, 31, 1, 31).
inline fn join(sums: *Sums, chunks: [2]Digits) void {
    const radix: Bytes = @bitCast(@as(@Vector(16, u16), @splat(31 << 8 | 1)));
    inline for (0..2) |half| {
        // Interleaving bytes, then pairs of them, leaves the rows in order (format.byteOfRow).
        var pairs: [2][2]Words = undefined;
        inline for (&pairs, chunks) |*of_chunk, digits| {
            of_chunk[0] = @bitCast(x86.interleaveLowBytes(digits.low[half], digits.high[half]));
            of_chunk[1] = @bitCast(x86.interleaveHighBytes(digits.low[half], digits.high[half]));
        }
        inline for (0..2) |part| {
            const first: Bytes = @bitCast(x86.interleaveLowWords(pairs[0][part], pairs[1][part]));
            const second: Bytes = @bitCast(x86.interleaveHighWords(pairs[0][part], pairs[1][part]));
            const of_rows = sums[half * 4 + part * 2 ..][0..2];
            of_rows[0] = x86.addProducts(of_rows[0], radix, first);
            of_rows[1] = x86.addProducts(of_rows[1], radix, second);
        }
    }
}

/// Words moved right: what comes into a byte's upper bits belongs to its neighbour and means nothing.
inline fn shiftRight(bytes: Bytes, comptime bits: u4) Bytes {
    return @bitCast(@as(@Vector(16, u16), @bitCast(bytes)) >> @splat(bits));
}
