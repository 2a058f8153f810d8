//! The order in which the AVX2 and AVX-512 variants of sherry_linear.zig go through tiles, tokens and segments.
//!
//! A level has `sumSegment(tokens, first_half, codes, tables, count)`, the integer sums over some chunks of one activation
//! block for `halvesTogether(tokens)` halves of a tile from `first_half` on; `widened`, which makes of a token's sums vectors
//! of `lanes` 32-bit integers, the rows in the order `row_order`; `tablesOf`, the tables that it reads; and `tokens_together`,
//! how many tokens at most share one extraction of the indexes.
const format = @import("../../format.zig");
const prepared = @import("../prepared.zig");
const scale = @import("x86_scale.zig");
const sherry_linear = @import("../sherry_linear.zig");
const x86 = @import("../x86.zig");

const Operands = sherry_linear.Operands;

/// How many activation blocks ahead of use the codes are fetched.
const prefetch_blocks = 4;
const prefetch_bytes = prefetch_blocks * prepared.block_sums * format.chunk_bytes;
/// How far ahead the scales of groups are fetched, in bytes.
const prefetch_scale_bytes = 2048;
/// Tiles that are begun and finished together: one by one measured up to 5 % slower.
const tiles_together = 8;

/// `one` computes groups of one token, `several` others; `fillBlock` makes the tables of both.
pub inline fn runWith(comptime level: type, arguments: *const anyopaque, begin: usize, end: usize) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    var unit = begin;
    while (unit < end) {
        var part = operands.part(unit, end);
        fetchFirst(&operands, part.begin);
        part.group.makeTables(level.fillBlock);
        if (part.group.group_tokens == 1) {
            computePart(level.one, part.group, part.begin, part.end);
        } else {
            computePart(level.several, part.group, part.begin, part.end);
        }
        unit += part.end - part.begin;
    }
}

fn computePart(comptime level: type, group: Operands, begin: usize, end: usize) void {
    switch (scale.weightingOf(group)) {
        inline else => |weighting| {
            var tile = begin;
            while (tile < end) : (tile += tiles_together) {
                computeTiles(level, weighting, group, tile, @min(tile + tiles_together, end));
            }
        },
    }
}

/// The codes of one tile from a chunk on.
pub const Codes = struct {
    start: [*]const u8,
    /// How much further lies what is used some chunks later, in bytes.
    ahead: usize,

    pub inline fn from(self: Codes, number: usize) Codes {
        return .{ .start = self.start + number * format.chunk_bytes, .ahead = self.ahead };
    }

    /// Asks for one of the five lines that are used later; each of a chunk's blocks of four calls it, the last ones in vain.
    pub inline fn fetch(self: Codes, comptime block: usize) void {
        if (block < format.chunk_bytes / 64) x86.prefetch(self.start + self.ahead, block * 64);
    }
};

/// Asks for the codes that are used before the first ones fetched ahead arrive.
fn fetchFirst(operands: *const Operands, tile: usize) void {
    const codes = operands.codes + operands.chunkOffset(tile, operands.first_block * prepared.block_sums);
    for (0..prefetch_bytes / 64) |line| x86.prefetch(codes + line * 64, 0);
}

/// Tiles `tile` .. `tile_end`, at most `tiles_together`, for all tokens of the group.
fn computeTiles(
    comptime level: type,
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    tile_end: usize,
) void {
    var token: usize = 0;
    while (token < operands.group_tokens) {
        const together = @min(level.tokens_together, operands.group_tokens - token);
        switch (together) {
            inline 1...level.tokens_together => |tokens| computeTokens(level, tokens, weighting, operands, tile, tile_end, token),
            else => unreachable,
        }
        token += together;
    }
}

/// `computeTiles` for `tokens` tokens from `group_token` on, counted within the group.
fn computeTokens(
    comptime level: type,
    comptime tokens: usize,
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    tile_end: usize,
    group_token: usize,
) void {
    const order = &level.row_order;
    const first_token = operands.first_token + group_token;
    var totals: [tiles_together][tokens]scale.Totals align(64) = undefined;
    const used = totals[0 .. tile_end - tile];
    for (used, tile..) |*of_tile, number| {
        for (of_tile, first_token..) |*of_token, token| scale.begin(order, operands, number, token, of_token);
    }
    for (used, tile..) |*of_tile, number| addBlocks(level, tokens, weighting, operands, number, group_token, of_tile);
    for (used, tile..) |*of_tile, number| {
        for (of_tile, first_token..) |*of_token, token| scale.finish(order, operands, number, token, of_token);
    }
}

/// Adds the sums of the call's activation blocks to a tile's totals.
fn addBlocks(
    comptime level: type,
    comptime tokens: usize,
    comptime weighting: scale.Weighting,
    operands: Operands,
    tile: usize,
    group_token: usize,
    totals: *align(64) [tokens]scale.Totals,
) void {
    // The steps unrolled below are more than the thousand that the compiler evaluates unasked.
    @setEvalBranchQuota(10_000);
    const segment_chunks: usize = if (weighting == .row) prepared.block_sums else operands.segment_columns / format.chunk_columns;
    var codes = operands.codes + operands.chunkOffset(tile, operands.first_block * prepared.block_sums);
    var group_scales = operands.groupScales(tile, operands.first_block * prepared.block_sums / segment_chunks);
    const end_chunk = @min(operands.block_end * prepared.block_sums, operands.layout.chunks);
    const skipped_chunks = operands.layout.chunks - (end_chunk - operands.first_block * prepared.block_sums);
    var block_sums: [tokens]scale.Totals align(64) = undefined;
    for (operands.first_block..operands.block_end) |activation_block| {
        const cell = (operands.first_token + group_token) * operands.activation_blocks + activation_block;
        // After the call's blocks of this tile come those of the next one.
        const is_in_next = activation_block + prefetch_blocks >= operands.block_end;
        const ahead = prefetch_bytes + if (is_in_next) skipped_chunks * format.chunk_bytes else 0;
        const block_chunks: usize = @min(prepared.block_sums, operands.layout.chunks - activation_block * prepared.block_sums);
        var chunk: usize = 0;
        while (chunk < block_chunks) : (chunk += segment_chunks) {
            const count: usize = @min(segment_chunks, block_chunks - chunk);
            const position = scale.Position.of(chunk == 0, chunk + count == block_chunks);
            const tables = level.tablesOf(tokens, &operands, group_token, activation_block, chunk);
            if (weighting != .row) {
                const lines = comptime scale.bytesOf(weighting) / 64;
                inline for (0..lines) |line| x86.prefetch(group_scales, prefetch_scale_bytes + line * 64);
            }
            comptime var first_half = 0;
            inline while (first_half < 2) : (first_half += comptime level.halvesTogether(tokens)) {
                const rows = comptime level.halvesTogether(tokens) * 32;
                const sums = level.sumSegment(tokens, first_half, .{ .start = codes, .ahead = ahead }, tables, count);
                const Widened = scale.WidenedScales(level.lanes, first_half * 32, rows, &level.row_order);
                const scales = if (tokens == 1)
                    scale.StoredScales{ .group_scales = group_scales }
                else
                    Widened.init(weighting, group_scales);
                switch (if (weighting == .row) scale.Position.only else position) {
                    inline else => |comptime_position| inline for (0..tokens) |token| scale.addSums(
                        weighting,
                        &totals[token],
                        &block_sums[token],
                        comptime_position,
                        first_half * 32,
                        level.widened(sums[token]),
                        operands.activation_scales[cell + token * operands.activation_blocks],
                        scales,
                    ),
                }
            }
            codes += count * format.chunk_bytes;
            if (weighting != .row) group_scales += comptime scale.bytesOf(weighting);
        }
    }
}
