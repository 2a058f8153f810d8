//! The order in which the AVX2 and AVX-512 variants of sherry_linear.zig go through tiles and tokens.
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

/// `level.computeTokens(tokens, weighting, operands, tile, round_token)` computes one tile for up to four tokens from
/// `round_token` on, counted within the round; the first two are known to the compiler.
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
            inline 1...tokens_together => |tokens| level.computeTokens(tokens, weighting, operands, tile, token),
            else => unreachable,
        }
        token += together;
    }
}
