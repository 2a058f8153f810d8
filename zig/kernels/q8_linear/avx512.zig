//! q8_linear.zig with AVX-512 VNNI, for several tokens; one alone waits for memory anyway and is left to avx2.zig.
//!
//! Weights and activations of a block of 256 columns are transposed, four columns a 32-bit word: word g of vector i holds
//! columns 4 i .. 4 i + 3 of group g. One instruction then multiplies and adds those of all eight groups, and after eight of
//! them word g is group g's sum, with nothing left to be added up across. The activations are transposed once for many
//! rows, a row's weights once for eight tokens.
//!
//! The instruction wants one side unsigned: the weights are raised by 128, and 128 times the activations' sum, which
//! prepare.zig has stored, is where a group's sum begins less of.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const one_token = @import("avx2.zig");
const prepared = @import("../prepared.zig");
const x86 = @import("../x86.zig");
const Arguments = @import("../q8_linear.zig").Arguments;

const Bytes = x86.Bytes;
const DoubleWords = x86.DoubleWords;
const block_columns = format.activation_block_columns;
const group_columns = format.q8_group_columns;
const block_groups = block_columns / group_columns;

const tokens_most = 8;
/// Rows that share one transposition of the activations.
const tile_rows = 64;
/// Activation blocks that are transposed at a time: half of a first-level cache of 32 KiB with eight tokens.
const chunk_blocks = 8;
/// How far ahead of use the weights are fetched, in bytes.
const prefetch_bytes = 4096;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    if (a.tokens == 1) return one_token.run(arguments, begin, end);
    const operands = Operands.init(a);
    var tile = begin;
    while (tile < end) : (tile += tile_rows) {
        const tile_end = @min(tile + tile_rows, end);
        var token: usize = 0;
        while (token < a.tokens) {
            const together = @min(tokens_most, a.tokens - token);
            switch (together) {
                inline 1...tokens_most => |tokens| operands.multiplyTile(tokens, tile, tile_end, token),
                else => unreachable,
            }
            token += together;
        }
    }
}

const Operands = struct {
    a: *const Arguments,
    weights: format.Q8Layout,
    layout: prepared.Layout,
    weight_scales: [*]const f16,
    scales: [*]const f32,
    sums: [*]const [block_groups]i32,

    fn init(a: *const Arguments) Operands {
        const weights = format.Q8Layout.init(a.rows, a.columns).?;
        const layout = prepared.Layout.init(a.tokens, a.columns).?;
        return .{
            .a = a,
            .weights = weights,
            .layout = layout,
            .weight_scales = @ptrCast(@alignCast(a.weights + weights.scales_offset)),
            .scales = @ptrCast(@alignCast(a.prepared + layout.scales_offset)),
            .sums = @ptrCast(@alignCast(a.prepared + layout.sums_offset)),
        };
    }

    /// The outputs of rows `begin` .. `end`, at most `tile_rows`, for `tokens` tokens from `token` on.
    fn multiplyTile(self: Operands, comptime tokens: usize, begin: usize, end: usize, token: usize) void {
        const a = self.a;
        var chunk: [chunk_blocks]Block(tokens) = undefined;
        var sums: [tile_rows][tokens]lanes.Lanes = @splat(@splat(@splat(0)));
        var first: usize = 0;
        while (first < self.layout.blocks) : (first += chunk_blocks) {
            const blocks = @min(chunk_blocks, self.layout.blocks - first);
            for (chunk[0..blocks], first..) |*block, number| self.fill(tokens, block, number, token);
            for (sums[0 .. end - begin], begin..) |*of_row, row| {
                for (chunk[0..blocks], first..) |*block, number| self.addBlock(tokens, block, row, number, of_row);
            }
        }
        for (sums[0 .. end - begin], begin..) |of_row, row| {
            inline for (of_row, token..) |sum, t| a.y[t * a.rows + row] = lanes.fold(sum);
        }
    }

    fn fill(self: Operands, comptime tokens: usize, block: *Block(tokens), number: usize, token: usize) void {
        for (0..tokens) |t| {
            const cell = (token + t) * self.layout.blocks + number;
            const values = self.a.prepared + self.layout.values_offset + cell * block_columns;
            for (transposed(values), 0..) |vector, i| block.values[i][t] = vector;
            block.begins[t] = @as(DoubleWords, self.sums[cell]) * @as(DoubleWords, @splat(-128));
            block.scales[t] = self.scales[cell];
        }
    }

    /// Adds the terms of a row's block `number`.
    inline fn addBlock(
        self: Operands,
        comptime tokens: usize,
        block: *const Block(tokens),
        row: usize,
        number: usize,
        sums: *[tokens]lanes.Lanes,
    ) void {
        const group = number * block_groups;
        const weights = self.a.weights + row * self.weights.padded_columns + number * block_columns;
        const scales = self.weight_scales + row * self.weights.groups + group;
        inline for (0..block_columns / 64) |line| @prefetch(weights + prefetch_bytes + line * 64, .{});
        if (self.weights.groups - group >= block_groups) {
            const of_groups: @Vector(block_groups, f16) = scales[0..block_groups].*;
            return addTerms(tokens, block, weights, @floatCast(of_groups), sums);
        }
        // Groups that do not exist have activations, sums and weight scales of 0: they add 0.
        const rest = self.weights.groups - group;
        var bytes: [block_columns]u8 = @splat(0);
        @memcpy(bytes[0 .. rest * group_columns], weights[0 .. rest * group_columns]);
        var of_groups: [block_groups]f16 = @splat(0);
        @memcpy(of_groups[0..rest], scales[0..rest]);
        addTerms(tokens, block, &bytes, @floatCast(@as(@Vector(block_groups, f16), of_groups)), sums);
    }
};

/// A block's activations: transposed, vector after vector, in each token after token.
fn Block(comptime tokens: usize) type {
    return struct {
        values: [block_groups][tokens]Bytes,
        /// -128 times the sums of the groups' values.
        begins: [tokens]DoubleWords,
        scales: [tokens]f32,
    };
}

inline fn addTerms(
    comptime tokens: usize,
    block: *const Block(tokens),
    weights: [*]const u8,
    weight_scales: lanes.Lanes,
    sums: *[tokens]lanes.Lanes,
) void {
    var integers = block.begins;
    const raise: Bytes = @splat(0x80);
    // By address: taken by value, all vectors would be read before the first product and kept on the stack.
    inline for (transposed(weights), &block.values) |vector, *values| {
        const raised = vector ^ raise;
        inline for (&integers, values) |*sum, *of_token| sum.* = x86.addProducts(sum.*, raised, of_token.*);
    }
    inline for (sums, integers, block.scales) |*sum, of_groups, scale| {
        const scales = weight_scales * @as(lanes.Lanes, @splat(scale));
        sum.* = sum.* + @as(lanes.Lanes, @floatFromInt(of_groups)) * scales;
    }
}

/// 256 bytes as an 8 by 8 matrix of 32-bit words, transposed.
inline fn transposed(bytes: [*]const u8) [8]Bytes {
    var rows: [8]DoubleWords = undefined;
    inline for (&rows, 0..) |*row, i| row.* = @bitCast(x86.load(bytes + i * 32));
    // In each lane: words 0 and 1 (2 and 3) of two rows by turns, then word 0, 1, 2 or 3 of four rows.
    var quads: [2][4]Bytes = undefined;
    inline for (&quads, 0..) |*quad, side| {
        const four = rows[side * 4 ..][0..4];
        const first: Bytes = @bitCast(x86.interleaveLowDoubleWords(four[0], four[1]));
        const second: Bytes = @bitCast(x86.interleaveLowDoubleWords(four[2], four[3]));
        const third: Bytes = @bitCast(x86.interleaveHighDoubleWords(four[0], four[1]));
        const fourth: Bytes = @bitCast(x86.interleaveHighDoubleWords(four[2], four[3]));
        quad[0] = x86.interleaveLowHalves(first, second);
        quad[1] = x86.interleaveHighHalves(first, second);
        quad[2] = x86.interleaveLowHalves(third, fourth);
        quad[3] = x86.interleaveHighHalves(third, fourth);
    }
    // The first lanes are columns 0-3 of the matrix, the second ones columns 4-7.
    var columns: [8]Bytes = undefined;
    inline for (0..4) |i| {
        columns[i] = x86.firstLanes(quads[0][i], quads[1][i]);
        columns[4 + i] = x86.secondLanes(quads[0][i], quads[1][i]);
    }
    return columns;
}
