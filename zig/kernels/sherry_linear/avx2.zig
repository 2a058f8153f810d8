//! sherry_linear.zig's contract by look-up (kernels.md, design A1): the four activations of a block have only sixteen sums
//! that an index can name, sum_tables.zig has stored them as two signed digits of radix 31 (T = 31 * high + low), and one
//! byte shuffle looks up the digits of 32 rows. Several tokens share the extraction of indexes and signs.
//!
//! Multiplying unpacked weights instead (vpmaddubsw, design G1) needs eight instructions for 128 weights and a token where
//! this needs six, and measured slower at every number of tokens.
//!
//! Bounds. Digits are added as bytes over the eight blocks of a chunk: 8 * 15 = 120 and 8 * 12 = 96 fit a signed byte.
//! Joined sums are added as 16-bit words over at most 256 columns: 64 blocks * 381 = 24384 fits.
const format = @import("../../format.zig");
const sum_tables = @import("../sum_tables.zig");
const scale = @import("x86_scale.zig");
const sherry_linear = @import("../sherry_linear.zig");
const tiles = @import("x86_tiles.zig");
const x86 = @import("../x86.zig");

const avx2 = @This();
const Bytes = x86.Bytes;
const Operands = sherry_linear.Operands;
const Words = x86.Words;

/// More would not fit the registers.
pub const tokens_together = sum_tables.table_tokens;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    tiles.runWith(struct {
        pub const one = avx2;
        pub const several = avx2;
        pub const fillBlock = @import("../sum_tables/avx2.zig").fillBlock;
    }, arguments, begin, end);
}

/// The tables of a token from an activation block's chunk `chunk` on; the next token's follow.
pub inline fn tablesOf(
    comptime _: usize,
    operands: *const Operands,
    group_token: usize,
    activation_block: usize,
    chunk: usize,
) [*]const u8 {
    return operands.tablesOf(group_token, activation_block) + tableOffset(chunk);
}

/// Halves of a tile that share one pass over the codes: both, where their sums fit the sixteen registers.
pub fn halvesTogether(comptime tokens: usize) usize {
    return if (tokens == 1) 2 else 1;
}

/// Chunks that a round of the inner loop computes: two, where they need no registers beyond the sixteen, since the offsets
/// of both chunks' tables are then known to the compiler.
fn chunksTogether(comptime tokens: usize) usize {
    return if (tokens == 1) 2 else 1;
}

inline fn tableOffset(chunk: usize) usize {
    return sum_tables.tableOffset(chunk * format.chunk_blocks);
}

pub const lanes = 8;
pub const row_order = scale.natural_order;
pub const widened = scale.widened;

/// The sums of the rows that one pass computes, sixteen a vector.
fn Sums(comptime tokens: usize) type {
    return [tokens][2 * halvesTogether(tokens)]Words;
}

/// The integer sums over `count` chunks (at most eight, all of one activation block) from `codes` on, for the rows from
/// `first_half` on. `tables`: those of the first chunk for the first token; the next token's follow.
pub inline fn sumSegment(
    comptime tokens: usize,
    comptime first_half: usize,
    codes: tiles.Codes,
    tables: [*]const u8,
    count: usize,
) Sums(tokens) {
    var sums: Sums(tokens) = @splat(@splat(@splat(0)));
    // The tables of two chunks are interleaved, which a segment of one chunk alone may begin amid; a longer one does not.
    const together = comptime chunksTogether(tokens);
    for (0..count / together) |round| inline for (0..together) |number| {
        const chunk = round * together + number;
        addChunk(tokens, first_half, codes.from(chunk), tables + tableOffset(chunk), &sums);
    };
    if (together > 1 and count % together == 1) {
        const last = count - 1;
        addChunk(tokens, first_half, codes.from(last), tables + tableOffset(last), &sums);
    }
    return sums;
}

inline fn addChunk(
    comptime tokens: usize,
    comptime first_half: usize,
    codes: tiles.Codes,
    tables: [*]const u8,
    sums: *Sums(tokens),
) void {
    const chunk = codes.start;
    const halves = comptime halvesTogether(tokens);
    const one: Bytes = @splat(1);
    // Bit 7 of each sign byte is the sign of the block at hand: doubling brings up the next one. The lowest bit is set,
    // because a byte of zero would make the sign instruction give zero; it takes the place of the last block's sign,
    // which the last block therefore takes from memory once more.
    var signs: [halves]Bytes = undefined;
    inline for (&signs, first_half..) |*half_signs, half| half_signs.* = loadSigns(chunk, half) | one;
    var low: [tokens][halves]Bytes = undefined;
    var high: [tokens][halves]Bytes = undefined;
    inline for (0..format.chunk_blocks) |block| {
        inline for (&signs, first_half..) |*half_signs, half| {
            if (block == format.chunk_blocks - 1) {
                const words: @Vector(16, u16) = @bitCast(loadSigns(chunk, half));
                half_signs.* = @as(Bytes, @bitCast(words << @splat(7))) | one;
            } else if (block > 0) {
                half_signs.* = x86.addBytes(half_signs.*, half_signs.*);
            }
        }
        if (first_half == 0) codes.fetch(block);
        const indexes = loadIndexes(halves, first_half, chunk + block * format.vector_bytes);
        inline for (0..tokens) |token| {
            const address = tables + token * sum_tables.table_bytes + comptime sum_tables.tableOffset(block);
            const address_high = address + sum_tables.table_high_offset;
            const table = x86.loadLanes(address, address);
            const table_high = x86.loadLanes(address_high, address_high);
            // All look-ups, then all signs, then all sums: in this order the units that each can use are kept busy.
            var digits: [2][halves]Bytes = undefined;
            inline for (&digits, .{ table, table_high }) |*of_table, entries| {
                inline for (of_table, indexes) |*half_digits, half_indexes| half_digits.* = x86.lookUp(entries, half_indexes);
            }
            inline for (&digits) |*of_table| {
                inline for (of_table, signs) |*half_digits, half_signs| half_digits.* = x86.applySigns(half_digits.*, half_signs);
            }
            inline for (&low[token], &high[token], digits[0], digits[1]) |*low_sum, *high_sum, low_digits, high_digits| {
                low_sum.* = if (block == 0) low_digits else x86.addBytes(low_sum.*, low_digits);
                high_sum.* = if (block == 0) high_digits else x86.addBytes(high_sum.*, high_digits);
            }
        }
    }
    // Pairs (low digit, high digit) times (1, 31).
    const radix: Bytes = @bitCast(@as(@Vector(16, u16), @splat(31 << 8 | 1)));
    inline for (0..tokens) |token| inline for (0..halves) |half| {
        const pair = .{ low[token][half], high[token][half] };
        sums[token][2 * half] +%= x86.multiplyAddBytes(radix, x86.interleaveLowBytes(pair[0], pair[1]));
        sums[token][2 * half + 1] +%= x86.multiplyAddBytes(radix, x86.interleaveHighBytes(pair[0], pair[1]));
    };
}

inline fn loadSigns(chunk: [*]const u8, comptime half: usize) Bytes {
    return x86.load(chunk + format.chunk_signs_offset + half * format.vector_bytes);
}

/// The index nibbles of the 32 rows of each half, one a byte.
inline fn loadIndexes(comptime halves: usize, comptime first_half: usize, address: [*]const u8) [halves]Bytes {
    const both = x86.load(address);
    const words: @Vector(16, u16) = @bitCast(both);
    var indexes: [halves]Bytes = undefined;
    inline for (&indexes, first_half..) |*half_indexes, half| {
        const nibbles: Bytes = if (half == 0) both else @bitCast(words >> @splat(4));
        half_indexes.* = nibbles & @as(Bytes, @splat(15));
    }
    return indexes;
}
