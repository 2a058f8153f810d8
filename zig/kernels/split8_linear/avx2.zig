//! split8_linear.zig, 64 columns of a plane an instruction, four rows side by side so that they share the loads of the
//! activations.
//!
//! Bounds: a nibble is at most 15, so vpmaddubsw gives at most 2 * 15 * 127 = 3810, and the eight of a block stay within
//! 30480: words hold them.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const split8 = @import("../split8_x86.zig");
const token_sums = @import("../split8_token.zig");
const x86 = @import("../x86.zig");
const Arguments = @import("../split8_linear.zig").Arguments;

const block_columns = format.activation_block_columns;

/// How far ahead of use both planes are fetched when all rows are read, in bytes.
const prefetch_bytes = 4096;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    if (a.list == null) computeRows(false, a, begin, end) else computeRows(true, a, begin, end);
}

fn computeRows(comptime is_listed: bool, a: *const Arguments, begin: usize, end: usize) void {
    const operands = Operands.init(a);
    var index = begin;
    while (end - index >= split8.rows_together) : (index += split8.rows_together) {
        operands.compute(is_listed, split8.rows_together, index, @min(index + split8.rows_together, end - 1));
    }
    while (index < end) : (index += 1) operands.compute(is_listed, 1, index, index);
}

const Operands = struct {
    a: *const Arguments,
    weights: format.split8.Layout,
    layout: prepared.Layout,
    row_scales: [*]const f32,
    scales: [*]const f32,

    fn init(a: *const Arguments) Operands {
        const weights = format.split8.Layout.init(a.rows, a.columns).?;
        const layout = prepared.Layout.init(a.prepared_tokens, a.columns).?;
        return .{
            .a = a,
            .weights = weights,
            .layout = layout,
            .row_scales = @ptrCast(@alignCast(a.weights + weights.scales_offset)),
            .scales = @ptrCast(@alignCast(a.prepared + layout.scales_offset)),
        };
    }

    inline fn rowOf(self: Operands, index: usize) usize {
        return if (self.a.list) |list| list[index] else index;
    }

    /// Outputs index .. index + rows for all tokens, fetching the rows from `ahead` on meanwhile.
    inline fn compute(self: Operands, comptime is_listed: bool, comptime rows: usize, index: usize, ahead: usize) void {
        const a = self.a;
        var high: [rows][*]const u8 = undefined;
        var fetched: [rows][*]const u8 = undefined;
        inline for (&high, &fetched, 0..) |*row, *next, i| {
            row.* = a.weights + self.rowOf(index + i) * self.weights.row_bytes;
            next.* = a.weights + self.rowOf(@min(ahead + i, a.count - 1)) * self.weights.row_bytes;
        }
        for (0..a.tokens) |token| {
            const sums = self.sumRows(is_listed, rows, high, fetched, a.first_token + token);
            inline for (sums, 0..) |row_sums, i| {
                const row_scale = self.row_scales[self.rowOf(index + i)];
                a.y[token * a.count + index + i] = lanes.fold(row_sums) * row_scale;
            }
        }
    }

    inline fn sumRows(
        self: Operands,
        comptime is_listed: bool,
        comptime rows: usize,
        high: [rows][*]const u8,
        fetched: [rows][*]const u8,
        token: usize,
    ) [rows]lanes.Lanes {
        const x = self.a.prepared + self.layout.values_offset + token * self.layout.padded_columns;
        var sums: [rows]lanes.Lanes = @splat(@splat(0));
        for (0..self.layout.blocks) |block| {
            var high_words: [rows]x86.Words = @splat(@splat(0));
            var low_words: [rows]x86.Words = @splat(@splat(0));
            const first = block * block_columns;
            const end = @min(first + block_columns, self.weights.padded_columns);
            var column = first;
            while (column < end) : (column += format.split8.chunk_columns) {
                const values = split8.loadValues(x + column);
                const byte = column / 2;
                inline for (0..rows) |i| {
                    split8.addChunk(&high_words[i], high[i] + byte, values);
                    split8.addChunk(&low_words[i], high[i] + self.weights.low_offset + byte, values);
                    if (is_listed) {
                        @prefetch(fetched[i] + byte, .{});
                        @prefetch(fetched[i] + self.weights.low_offset + byte, .{});
                    }
                }
                // The rows lie one after another, and are fetched in that order: the CPU's own prefetcher then joins in.
                if (!is_listed) inline for (0..(rows + 1) / 2) |line| {
                    const next = high[0] + byte * rows + line * 64;
                    x86.prefetch(next, prefetch_bytes);
                    x86.prefetch(next + self.weights.low_offset, prefetch_bytes);
                };
            }
            const cell = token * self.layout.blocks + block;
            const correction: x86.DoubleWords = self.a.corrections[cell];
            const scale: lanes.Lanes = @splat(self.scales[cell]);
            inline for (&sums, high_words, low_words) |*sum, high_sum, low_sum| {
                const stored = x86.multiplyAddWords(high_sum, @splat(16)) +% x86.multiplyAddWords(low_sum, @splat(1));
                sum.* = sum.* + @as(lanes.Lanes, @floatFromInt(stored -% correction)) * scale;
            }
        }
        return sums;
    }
};
