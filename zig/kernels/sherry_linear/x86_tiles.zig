//! The order in which the AVX2 and AVX-512 variants of sherry_linear.zig go through tiles, tokens and segments.
//!
//! A level has `sumSegment(tokens, first_half, codes, tables, count)`, the integer sums over some chunks of one activation
//! block for `halvesTogether(tokens)` halves of a tile from `first_half` on, and `tablesOf`, the tables that it reads.
const format = @import("../../format.zig");
const prepared = @import("../prepared.zig");
const scale = @import("avx2_scale.zig");
const sherry_linear = @import("../sherry_linear.zig");
const x86 = @import("../x86.zig");

const Operands = sherry_linear.Operands;

/// Tokens that share one extraction of the indexes; more would not fit the registers.
const tokens_together = prepared.table_tokens;
/// Of so many activation blocks of a token the tables are used for all tiles before the next tokens': they are what a
/// second-level cache holds beside the codes, on CPUs that have little of it too.
const resident_blocks = 128;
/// How far ahead of use the codes are fetched, in bytes.
pub const prefetch_bytes = 10240;

pub inline fn runWith(comptime level: type, arguments: *const anyopaque, begin: usize, end: usize) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    fetchFirst(&operands, begin);
    const resident_tokens = @max(1, resident_blocks / (tokens_together * operands.activation_blocks)) * tokens_together;
    switch (scale.weightingOf(operands)) {
        inline else => |weighting| {
            var token: usize = 0;
            while (token < operands.round_tokens) : (token += resident_tokens) {
                const token_end = @min(token + resident_tokens, operands.round_tokens);
                for (begin..end) |tile| computeTile(level, weighting, operands, tile, token, token_end);
            }
        },
    }
}

/// Asks for the codes that are used before what a level fetches `prefetch_bytes` ahead arrives.
fn fetchFirst(operands: *const Operands, tile: usize) void {
    const codes = operands.codes + operands.chunkOffset(tile, 0);
    for (0..prefetch_bytes / 64) |line| x86.prefetch(codes + line * 64, 0);
}

fn computeTile(
    comptime level: type,
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    begin: usize,
    end: usize,
) void {
    var token = begin;
    while (token < end) {
        const together = @min(tokens_together, end - token);
        switch (together) {
            inline 1...tokens_together => |tokens| computeTokens(level, tokens, weighting, operands, tile, token),
            else => unreachable,
        }
        token += together;
    }
}

/// One tile for `tokens` tokens from `round_token` on, counted within the round.
fn computeTokens(
    comptime level: type,
    comptime tokens: usize,
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    round_token: usize,
) void {
    // The steps unrolled below are more than the thousand that the compiler evaluates unasked.
    @setEvalBranchQuota(10_000);
    const first_token = operands.first_token + round_token;
    var totals: [tokens]scale.Totals align(32) = @splat(@splat(0));
    const segment_chunks: usize = if (weighting == .row) prepared.block_sums else operands.segment_columns / format.chunk_columns;
    var codes = operands.codes + operands.chunkOffset(tile, 0);
    var group_scales = operands.groupScales(tile, 0);
    for (0..operands.activation_blocks) |activation_block| {
        const cell = first_token * operands.activation_blocks + activation_block;
        const block_chunks: usize = @min(prepared.block_sums, operands.layout.chunks - activation_block * prepared.block_sums);
        var chunk: usize = 0;
        while (chunk < block_chunks) : (chunk += segment_chunks) {
            const count: usize = @min(segment_chunks, block_chunks - chunk);
            const tables = level.tablesOf(&operands, round_token, activation_block, chunk);
            comptime var first_half = 0;
            inline while (first_half < 2) : (first_half += comptime level.halvesTogether(tokens)) {
                const sums = level.sumSegment(tokens, first_half, codes, tables, count);
                inline for (0..tokens) |token| {
                    const activation_scale = operands.activation_scales[cell + token * operands.activation_blocks];
                    scale.addWords(weighting, &totals[token], first_half * 32, &sums[token], activation_scale, group_scales);
                }
            }
            codes += count * format.chunk_bytes;
            if (weighting != .row) group_scales += format.tile_rows * operands.scale_element.bytes();
        }
    }
    for (&totals, first_token..) |*token_totals, token| scale.finish(operands, tile, token, token_totals);
}
