//! sherry_linear.zig's contract for one token by look-up, as in avx2.zig, with what AVX-512 VBMI adds: vpermb chooses among
//! 32 bytes, so that a table holds each digit and its negative (prepare/avx512.zig), the sign joins the index as its fifth
//! bit, and no sign is applied afterwards. For one token alone bytes are faster than the words of avx512_words.zig: their
//! indexes take fewer instructions, which nothing else shares.
//!
//! Measured no faster on Zen 4: 64 rows a vector.
//!
//! Bounds: as in avx2.zig.
const format = @import("../../format.zig");
const prepared = @import("../prepared.zig");
const scale = @import("avx2_scale.zig");
const sherry_linear = @import("../sherry_linear.zig");
const tiles = @import("x86_tiles.zig");
const x86 = @import("../x86.zig");

const Bytes = x86.Bytes;
const Operands = sherry_linear.Operands;
const Words = x86.Words;

const block_bytes = prepared.wide_block_table_bytes;
const chunk_tables_bytes = format.chunk_blocks * block_bytes;

pub const tokens_together = 1;

/// The token's tables from an activation block's chunk `chunk` on.
pub inline fn tablesOf(
    comptime _: usize,
    operands: *const Operands,
    round_token: usize,
    activation_block: usize,
    chunk: usize,
) [*]const u8 {
    return operands.wideTablesOf(round_token, activation_block) + chunk * chunk_tables_bytes;
}

/// Halves of a tile that share one pass over the codes.
pub fn halvesTogether(comptime _: usize) usize {
    return 2;
}

pub const lanes = 8;
pub const inOrder = scale.widened;

/// The sums of a tile's rows, sixteen a vector.
const Sums = [4]Words;

/// The integer sums over `count` chunks (at most eight, all of one activation block) from `codes` on.
pub inline fn sumSegment(
    comptime _: usize,
    comptime _: usize,
    codes: [*]const u8,
    tables: [*]const u8,
    count: usize,
) [1]Sums {
    var sums: Sums = @splat(@splat(0));
    for (0..count) |chunk| addChunk(codes + chunk * format.chunk_bytes, tables + chunk * chunk_tables_bytes, &sums);
    return .{sums};
}

inline fn addChunk(chunk: [*]const u8, tables: [*]const u8, sums: *Sums) void {
    // Bit 4 of each sign byte is the sign of the block at hand: doubling brings up the next one. Of the first three blocks'
    // signs it is that of the byte moved down.
    var signs: [2]Bytes = undefined;
    var low: [2]Bytes = undefined;
    var high: [2]Bytes = undefined;
    inline for (0..format.chunk_blocks) |block| {
        inline for (&signs, 0..) |*half_signs, half| {
            const loaded = x86.load(chunk + format.chunk_signs_offset + half * format.vector_bytes);
            half_signs.* = switch (block) {
                0 => shiftRight(loaded, 3),
                3 => loaded,
                else => x86.addBytes(half_signs.*, half_signs.*),
            };
        }
        if (block < format.chunk_bytes / 64) x86.prefetch(chunk, tiles.prefetch_bytes + block * 64);
        const both = x86.load(chunk + block * format.vector_bytes);
        // The nibble, and the sign as bit 4. What is above means nothing to vpermb.
        const nibble: Bytes = @splat(15);
        const indexes = [2]Bytes{
            (both & nibble) | (signs[0] & ~nibble),
            (shiftRight(both, 4) & nibble) | (signs[1] & ~nibble),
        };
        var digits: [2][2]Bytes = undefined;
        inline for (&digits, .{ 0, block_bytes / 2 }) |*of_table, offset| {
            inline for (of_table, indexes) |*half_digits, half_indexes| {
                half_digits.* = x86.lookUpWide(tables, block * block_bytes + offset, half_indexes);
            }
        }
        inline for (&low, &high, digits[0], digits[1]) |*low_sum, *high_sum, low_digits, high_digits| {
            low_sum.* = if (block == 0) low_digits else x86.addBytes(low_sum.*, low_digits);
            high_sum.* = if (block == 0) high_digits else x86.addBytes(high_sum.*, high_digits);
        }
    }
    // Pairs (low digit, high digit) times (1, 31).
    const radix: Bytes = @bitCast(@as(@Vector(16, u16), @splat(31 << 8 | 1)));
    inline for (low, high, 0..) |low_sum, high_sum, half| {
        sums[2 * half] +%= x86.multiplyAddBytes(radix, x86.interleaveLowBytes(low_sum, high_sum));
        sums[2 * half + 1] +%= x86.multiplyAddBytes(radix, x86.interleaveHighBytes(low_sum, high_sum));
    }
}

/// Words moved right: what comes into a byte's upper bits belongs to its neighbour and means nothing.
inline fn shiftRight(bytes: Bytes, comptime bits: u4) Bytes {
    return @bitCast(@as(@Vector(16, u16), @bitCast(bytes)) >> @splat(bits));
}
