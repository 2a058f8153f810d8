//! split8_upper.zig, 64 columns an instruction, four rows side by side, eight folded and scaled at once. The words of a
//! block hold its sums (split8_linear/avx2.zig, bounds).
const std = @import("std");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const split8 = @import("../split8_x86.zig");
const upper = @import("../split8_upper.zig");
const x86 = @import("../x86.zig");

const Lanes = lanes.Lanes;
const block_columns = format.activation_block_columns;
/// How far ahead of use the plane is fetched, in bytes: about one memory latency at the speed it is consumed.
const prefetch_bytes = 4096;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const upper.Arguments = @ptrCast(@alignCast(arguments));
    const operands = Operands.init(a);
    for (begin..end) |tile| operands.computeTile(tile);
}

const Operands = struct {
    a: *const upper.Arguments,
    weights: format.split8.Layout,
    layout: prepared.Layout,
    row_scales: [*]const f32,
    scales: [*]const f32,
    values: [*]const u8,

    fn init(a: *const upper.Arguments) Operands {
        const weights = format.split8.Layout.init(a.rows, a.columns).?;
        const layout = prepared.Layout.init(1, a.columns).?;
        return .{
            .a = a,
            .weights = weights,
            .layout = layout,
            .row_scales = @ptrCast(@alignCast(a.weights + weights.scales_offset)),
            .scales = @ptrCast(@alignCast(a.prepared + layout.scales_offset)),
            .values = a.prepared + layout.values_offset,
        };
    }

    fn computeTile(self: Operands, tile: usize) void {
        const a = self.a;
        const end = @min(tile * upper.tile_rows + upper.tile_rows, a.rows);
        var maxima: Lanes = @splat(-std.math.inf(f32));
        var checks: Lanes = @splat(0);
        var row = tile * upper.tile_rows;
        while (end - row >= lanes.count) : (row += lanes.count) {
            const first = self.sumRows(split8.rows_together, row);
            const second = self.sumRows(split8.rows_together, row + split8.rows_together);
            const folds = lanes.foldEight(first ++ second);
            const row_scales: Lanes = self.row_scales[row..][0..lanes.count].*;
            const scores = (folds * @as(Lanes, @splat(16)) + @as(Lanes, @splat(a.offset))) * row_scales;
            a.scores[row..][0..lanes.count].* = scores;
            maxima = lanes.larger(scores, maxima);
            checks = checks + (scores - scores);
        }
        var maximum = @reduce(.Max, maxima);
        var check = @reduce(.Add, checks);
        while (row < end) : (row += 1) {
            const score = (lanes.fold(self.sumRows(1, row)[0]) * 16 + a.offset) * self.row_scales[row];
            a.scores[row] = score;
            maximum = lanes.larger(score, maximum);
            check += score - score;
        }
        a.tile_maxima[tile] = maximum + check;
    }

    inline fn sumRows(self: Operands, comptime rows: usize, first_row: usize) [rows]Lanes {
        const plane = self.a.weights + first_row * self.weights.row_bytes;
        var sums: [rows]Lanes = @splat(@splat(0));
        const whole_blocks = self.weights.padded_columns / block_columns;
        for (0..whole_blocks) |block| {
            var words: [rows]x86.Words = @splat(@splat(0));
            inline for (0..block_columns / format.split8.chunk_columns) |chunk| {
                self.addChunk(rows, &words, plane, block * block_columns + chunk * format.split8.chunk_columns);
            }
            self.closeBlock(rows, &sums, words, block);
        }
        if (whole_blocks < self.layout.blocks) {
            var words: [rows]x86.Words = @splat(@splat(0));
            var column = whole_blocks * block_columns;
            while (column < self.weights.padded_columns) : (column += format.split8.chunk_columns) {
                self.addChunk(rows, &words, plane, column);
            }
            self.closeBlock(rows, &sums, words, whole_blocks);
        }
        return sums;
    }

    inline fn addChunk(self: Operands, comptime rows: usize, words: *[rows]x86.Words, plane: [*]const u8, column: usize) void {
        const values = split8.loadValues(self.values + column);
        inline for (0..rows) |i| split8.addChunk(&words[i], plane + i * self.weights.row_bytes + column / 2, values);
        // The rows lie one after another, and are fetched in that order: the CPU's own prefetcher then joins in.
        const ahead = @intFromPtr(plane) +% column / 2 * rows +% prefetch_bytes;
        inline for (0..(rows + 1) / 2) |line| @prefetch(@as(*const u8, @ptrFromInt(ahead +% line * 64)), .{});
    }

    inline fn closeBlock(self: Operands, comptime rows: usize, sums: *[rows]Lanes, words: [rows]x86.Words, block: usize) void {
        const scale: Lanes = @splat(self.scales[block]);
        inline for (sums, words) |*sum, row_words| {
            const integers = x86.multiplyAddWords(row_words, @splat(1));
            sum.* = sum.* + @as(Lanes, @floatFromInt(integers)) * scale;
        }
    }
};
