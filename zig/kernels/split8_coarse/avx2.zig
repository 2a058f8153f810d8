//! split8_coarse.zig, 128 columns an instruction, the four interleaved rows side by side. Of the four codes of a byte two
//! are used where they are, in bits 0-1 and (shifted by four) 4-5; the other two stay in bits 2-3 and count fourfold until
//! the end of the block, which saves their shifts.
//!
//! Bounds of a block's words: 8 * 3 * 127 = 3048 for codes, 12192 for those that count fourfold.
const std = @import("std");
const format = @import("../../format.zig");
const coarse = @import("../split8_coarse.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const upper = @import("../split8_upper.zig");
const x86 = @import("../x86.zig");

const Lanes = lanes.Lanes;
const Words = x86.Words;
const rows_together = coarse.rows_together;
const block_columns = format.activation_block_columns;
/// How far ahead of use the codes are fetched, in bytes: about one memory latency at the speed they are consumed.
const prefetch_bytes = 4096;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const coarse.Arguments = @ptrCast(@alignCast(arguments));
    const operands = Operands.init(a);
    for (begin..end) |tile| operands.computeTile(tile);
}

const Operands = struct {
    a: *const coarse.Arguments,
    blocks: usize,
    gains: [*]const f32,
    residuals: [*]const f32,
    scales: [*]const f32,
    values: [*]const u8,

    fn init(a: *const coarse.Arguments) Operands {
        const layout = coarse.Layout.init(a.rows, a.columns).?;
        const activations = prepared.Layout.init(1, layout.blocks * block_columns).?;
        return .{
            .a = a,
            .blocks = layout.blocks,
            .gains = @ptrCast(@alignCast(a.coarse + layout.gains_offset)),
            .residuals = @ptrCast(@alignCast(a.coarse + layout.residuals_offset)),
            .scales = @ptrCast(@alignCast(a.prepared + activations.scales_offset)),
            .values = a.prepared + activations.values_offset,
        };
    }

    fn computeTile(self: Operands, tile: usize) void {
        const a = self.a;
        const end = @min(tile * upper.tile_rows + upper.tile_rows, a.rows);
        var maxima: Lanes = @splat(-std.math.inf(f32));
        var checks: Lanes = @splat(0);
        const spread: Lanes = @splat(a.spread);
        const offset: Lanes = @splat(a.offset);
        var row = tile * upper.tile_rows;
        while (end - row >= lanes.count) : (row += lanes.count) {
            const first = self.sumRows(row);
            const second = self.sumRows(row + rows_together);
            const gains: Lanes = self.gains[row..][0..lanes.count].*;
            const residuals: Lanes = self.residuals[row..][0..lanes.count].*;
            const scores = (lanes.foldEight(first ++ second) + offset) * gains + spread * residuals;
            a.scores[row..][0..lanes.count].* = scores;
            maxima = lanes.larger(scores, maxima);
            checks = checks + (scores - scores);
        }
        var maximum = @reduce(.Max, maxima);
        var check = @reduce(.Add, checks);
        while (row < end) : (row += rows_together) {
            // Rows past the last are there as codes, and not looked at.
            const sums = self.sumRows(row);
            for (row..@min(row + rows_together, end), sums[0..@min(rows_together, end - row)]) |one, sum| {
                const score = (lanes.fold(sum) + a.offset) * self.gains[one] + a.spread * self.residuals[one];
                a.scores[one] = score;
                maximum = lanes.larger(score, maximum);
                check += score - score;
            }
        }
        a.tile_maxima[tile] = maximum + check;
    }

    /// Four rows from `first_row`, a multiple of four, on.
    inline fn sumRows(self: Operands, first_row: usize) [rows_together]Lanes {
        const line_bytes = coarse.block_bytes;
        var codes = self.a.coarse + first_row * self.blocks * line_bytes;
        var sums: [rows_together]Lanes = @splat(@splat(0));
        for (0..self.blocks) |block| {
            const scale: Lanes = @splat(self.scales[block]);
            const x = self.values + block * block_columns;
            inline for (&sums, 0..) |*sum, row| {
                x86.prefetch(codes + row * line_bytes, prefetch_bytes);
                const first = sumVector(codes + row * line_bytes, x);
                const second = sumVector(codes + row * line_bytes + 32, x + coarse.vector_columns);
                const words = (first.plain +% second.plain) +% ((first.fourfold +% second.fourfold) >> @splat(2));
                const integers = x86.multiplyAddWords(words, @splat(1));
                sum.* = sum.* + @as(Lanes, @floatFromInt(integers)) * scale;
            }
            codes += rows_together * line_bytes;
        }
        return sums;
    }
};

/// The products of 128 columns, in sixteen words: those of bits 0-1 and 4-5, and four times those of bits 2-3 and 6-7.
inline fn sumVector(codes: [*]const u8, x: [*]const u8) struct { plain: Words, fourfold: Words } {
    const low_pair: x86.Bytes = @splat(3);
    const high_pair: x86.Bytes = @splat(12);
    const bytes = x86.load(codes);
    const shifted: x86.Bytes = @bitCast(@as(@Vector(16, u16), @bitCast(bytes)) >> @splat(4));
    return .{
        .plain = x86.multiplyAddBytes(bytes & low_pair, x86.load(x)) +%
            x86.multiplyAddBytes(shifted & low_pair, x86.load(x + 64)),
        .fourfold = x86.multiplyAddBytes(bytes & high_pair, x86.load(x + 32)) +%
            x86.multiplyAddBytes(shifted & high_pair, x86.load(x + 96)),
    };
}
