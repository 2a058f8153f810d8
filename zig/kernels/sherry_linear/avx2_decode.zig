//! Many tokens by decoding (kernels.md, design G1): 64 rows x 256 columns of a tile are unpacked once into bytes t + 1 in
//! {0, 1, 2}, four neighbouring columns of a row together; then four activations of a token, repeated over a vector, are
//! multiplied with eight rows at once. What the + 1 adds is the sum of the activations, which prepare.zig has stored.
//!
//! Bounds. A multiply-and-add gives at most 2 * 2 * 127 = 508 in magnitude, so 16-bit words hold the 64 of a segment of
//! 256 columns: 64 * 508 = 32512.
const format = @import("../../format.zig");
const prepared = @import("../prepared.zig");
const scale = @import("avx2_scale.zig");
const sherry_linear = @import("../sherry_linear.zig");
const x86 = @import("../x86.zig");

const Bytes = x86.Bytes;
const DoubleWords = x86.DoubleWords;
const Operands = sherry_linear.Operands;
const Words = x86.Words;

/// Tokens that one unpacking serves; their totals (16 KB) and the unpacked weights (16 KB) share the nearest cache.
const tokens_together = 64;
/// Vectors of eight rows that one pass over the columns computes, times two tokens: eight registers of sums.
const pass_vectors = 4;
const passes = format.tile_rows / (8 * pass_vectors);
const quads = format.activation_block_columns / format.block_columns;

/// The unpacked weights in the order of use: for each pass, for each block of four columns, `pass_vectors` vectors, each
/// with the four columns of eight neighbouring rows.
const Unpacked = [passes][quads][pass_vectors]Bytes;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    switch (scale.weightingOf(operands)) {
        inline else => |weighting| {
            var token: usize = 0;
            while (token < operands.tokens) : (token += tokens_together) {
                const count = @min(tokens_together, operands.tokens - token);
                for (begin..end) |tile| computeTokens(weighting, operands, tile, token, count);
            }
        },
    }
}

/// One tile for `count` tokens from `first_token` on.
fn computeTokens(
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    first_token: usize,
    count: usize,
) void {
    var unpacked: Unpacked = undefined;
    var totals: [tokens_together]scale.Totals align(32) = undefined;
    @memset(totals[0..count], @splat(0));
    for (0..operands.activation_blocks) |activation_block| {
        const first_chunk = activation_block * prepared.block_sums;
        const chunks = @min(prepared.block_sums, operands.layout.chunks - first_chunk);
        const codes = operands.codes + operands.chunkOffset(tile, first_chunk);
        for (0..chunks) |chunk| unpackChunk(codes + chunk * format.chunk_bytes, chunk, &unpacked);
        for (0..passes) |pass| {
            var token: usize = 0;
            while (token < count) : (token += 2) {
                const at = Position{
                    .tile = tile,
                    .activation_block = activation_block,
                    .chunks = chunks,
                    .pass = pass,
                    .token = first_token + token,
                };
                if (token + 1 < count) {
                    multiply(2, weighting, operands, at, &unpacked, totals[token..][0..2]);
                } else {
                    multiply(1, weighting, operands, at, &unpacked, totals[token..][0..1]);
                }
            }
        }
    }
    for (totals[0..count], first_token..) |*token_totals, token| scale.finish(operands, tile, token, token_totals);
}

const Position = struct {
    tile: usize,
    activation_block: usize,
    /// Chunks of the activation block that the weights have, at most eight.
    chunks: usize,
    pass: usize,
    /// The first of the tokens.
    token: usize,
};

/// Adds one activation block's terms for half a tile and `tokens` tokens.
fn multiply(
    comptime tokens: usize,
    comptime weighting: scale.Weighting,
    operands: Operands,
    at: Position,
    unpacked: *const Unpacked,
    totals: *[tokens]scale.Totals,
) void {
    const segment_chunks = operands.segment_columns / format.chunk_columns;
    const cell = at.token * operands.activation_blocks + at.activation_block;
    const values = operands.values + cell * format.activation_block_columns;
    var chunk: usize = 0;
    while (chunk < at.chunks) : (chunk += segment_chunks) {
        const end = @min(chunk + segment_chunks, at.chunks);
        var sums: [tokens][pass_vectors]Words = @splat(@splat(@splat(0)));
        for (chunk * format.chunk_blocks..end * format.chunk_blocks) |quad| {
            const weights = &unpacked[at.pass][quad];
            inline for (0..tokens) |token| {
                const activations = x86.repeatQuad(values + token * operands.padded_columns + quad * format.block_columns);
                inline for (0..pass_vectors) |vector| {
                    sums[token][vector] +%= x86.multiplyAddBytes(weights[vector], activations);
                }
            }
        }
        const group = (at.activation_block * prepared.block_sums + chunk) / segment_chunks;
        const group_scales = operands.groupScales(at.tile, group);
        inline for (0..tokens) |token| {
            const token_cell = cell + token * operands.activation_blocks;
            const excess: DoubleWords = @splat(sumOfChunks(&operands.sums[token_cell], chunk, end));
            const activation_scale: x86.Floats = @splat(operands.activation_scales[token_cell]);
            inline for (0..pass_vectors) |vector| {
                const row = (at.pass * pass_vectors + vector) * 8;
                const sum = x86.multiplyAddWords(sums[token][vector], @splat(1)) - excess;
                scale.addTerm(weighting, &totals[token], row, sum, activation_scale, group_scales);
            }
        }
    }
}

inline fn sumOfChunks(sums: *const [prepared.block_sums]i32, begin: usize, end: usize) i32 {
    var total: i32 = 0;
    for (sums[begin..end]) |sum| total += sum;
    return total;
}

/// For each of the four columns of a block, its weight under each index when the first sign is +; sixteen bytes, twice.
const column_tables: [format.block_columns]Bytes = tables: {
    var tables: [format.block_columns][32]u8 = undefined;
    for (0..32) |entry| {
        const weights = format.decode(.{ .index = @intCast(entry % 16), .negative = 0 });
        for (&tables, weights) |*table, weight| table[entry] = @bitCast(weight);
    }
    break :tables .{ tables[0], tables[1], tables[2], tables[3] };
};

/// Unpacks a chunk's eight blocks to their place among the activation block's 64.
fn unpackChunk(codes: [*]const u8, chunk: usize, unpacked: *Unpacked) void {
    const one: Bytes = @splat(1);
    inline for (0..2) |half| {
        const signs_offset = format.chunk_signs_offset + half * format.vector_bytes;
        const all_signs: @Vector(16, u16) = @bitCast(x86.load(codes + signs_offset));
        inline for (0..format.chunk_blocks) |block| {
            // Bit 7 of each byte decides; the lowest is set because a byte of zero would give zero.
            const signs = @as(Bytes, @bitCast(all_signs << @splat(block))) | one;
            const both: @Vector(16, u16) = @bitCast(x86.load(codes + block * format.vector_bytes));
            const nibbles: Bytes = @bitCast(if (half == 0) both else both >> @splat(4));
            const indexes = nibbles & @as(Bytes, @splat(15));
            var columns: [format.block_columns]Bytes = undefined;
            inline for (&columns, column_tables) |*column, table| {
                column.* = x86.applySigns(x86.lookUp(table, indexes), signs) +% one;
            }
            storeQuads(columns, &unpacked[half][chunk * format.chunk_blocks + block]);
        }
    }
}

/// From a vector a column to vectors of four columns a row. format.rowOfByte is made so that these interleavings, which
/// work in each lane, give the rows in natural order.
inline fn storeQuads(columns: [format.block_columns]Bytes, vectors: *[pass_vectors]Bytes) void {
    const first_low: Words = @bitCast(x86.interleaveLowBytes(columns[0], columns[1]));
    const first_high: Words = @bitCast(x86.interleaveHighBytes(columns[0], columns[1]));
    const second_low: Words = @bitCast(x86.interleaveLowBytes(columns[2], columns[3]));
    const second_high: Words = @bitCast(x86.interleaveHighBytes(columns[2], columns[3]));
    vectors[0] = @bitCast(x86.interleaveLowWords(first_low, second_low));
    vectors[1] = @bitCast(x86.interleaveHighWords(first_low, second_low));
    vectors[2] = @bitCast(x86.interleaveLowWords(first_high, second_high));
    vectors[3] = @bitCast(x86.interleaveHighWords(first_high, second_high));
}

comptime {
    // A pass is a half of the tile, as the index nibbles' halves are.
    if (passes != 2 or pass_vectors * 8 != format.vector_bytes) @compileError("a pass must be half a tile");
}
