//! int4_linear.zig, eight rows at once: four activations, repeated over a vector, are multiplied with four columns of each
//! row, so that every 32-bit lane sums up one row and nothing is ever added across lanes. The nibbles are taken as 0..15;
//! what the 8 in each adds is 8 times the sum of the activations, which prepare.zig has stored.
//!
//! Bounds. A multiply-and-add gives at most 2 * 15 * 127 = 3810 in magnitude, so 16-bit words hold a group's eight: 30480.
const format = @import("../../format.zig");
const int4_linear = @import("../int4_linear.zig");
const x86 = @import("../x86.zig");

const int4 = format.int4;
const Bytes = x86.Bytes;
const Floats = x86.Floats;
const Operands = int4_linear.Operands;
const Words = x86.Words;

/// Tokens that share one extraction of the nibbles; more would not fit the sixteen registers.
const tokens_together = 4;
/// How far ahead of use the codes are fetched, in bytes: about one memory latency at the speed they are consumed.
const prefetch_bytes = 4096;
const block_groups = format.activation_block_columns / int4.group_columns;

comptime {
    if (int4.tile_rows != @typeInfo(Floats).vector.len) @compileError("a tile must be a vector of rows");
}

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    for (begin..end) |tile| {
        var token: usize = 0;
        while (token < operands.tokens) {
            const together = @min(tokens_together, operands.tokens - token);
            switch (together) {
                inline 1...tokens_together => |tokens| computeTokens(tokens, operands, tile, token),
                else => unreachable,
            }
            token += together;
        }
    }
}

/// One tile for `tokens` tokens from `first_token` on.
fn computeTokens(comptime tokens: usize, operands: Operands, tile: usize, first_token: usize) void {
    var totals: [tokens]Floats = @splat(@splat(0));
    const groups = operands.layout.groups;
    var codes = operands.codes + tile * groups * int4.chunk_bytes;
    var weight_scales = operands.weight_scales + tile * groups * int4.tile_rows;
    const first_cell = first_token * operands.activation_blocks;
    for (0..groups) |group| {
        const cell = first_cell + group / block_groups;
        const values = operands.values + first_cell * format.activation_block_columns + group * int4.group_columns;
        const sums = sumGroup(tokens, codes, values, operands.activation_blocks * format.activation_block_columns);
        const scales: Floats = @floatCast(@as(@Vector(int4.tile_rows, f16), weight_scales[0..int4.tile_rows].*));
        inline for (0..tokens) |token| {
            const token_cell = cell + token * operands.activation_blocks;
            const excess = operands.sums[token_cell * block_groups + group % block_groups] << 3;
            const sum = x86.multiplyAddWords(sums[token], @splat(1)) - @as(x86.DoubleWords, @splat(excess));
            const factor = scales * @as(Floats, @splat(operands.scales[token_cell]));
            totals[token] = totals[token] + @as(Floats, @floatFromInt(sum)) * factor;
        }
        codes += int4.chunk_bytes;
        weight_scales += int4.tile_rows;
    }
    const first_row = tile * int4.tile_rows;
    const count = @min(int4.tile_rows, operands.rows - first_row);
    inline for (totals, 0..) |total, token| {
        const rows: [int4.tile_rows]f32 = total;
        const y = operands.y + (first_token + token) * operands.rows + first_row;
        if (count == int4.tile_rows) y[0..int4.tile_rows].* = rows else @memcpy(y[0..count], rows[0..count]);
    }
}

/// A chunk's products with each token's 32 activations, two words a row.
inline fn sumGroup(
    comptime tokens: usize,
    codes: [*]const u8,
    values: [*]const i8,
    token_stride: usize,
) [tokens]Words {
    var sums: [tokens]Words = undefined;
    const mask: Bytes = @splat(15);
    inline for (0..int4.chunk_vectors) |vector| {
        if (vector % 2 == 0) x86.prefetch(codes + vector * format.vector_bytes, prefetch_bytes);
        const both = x86.load(codes + vector * format.vector_bytes);
        const low = both & mask;
        const high = @as(Bytes, @bitCast(@as(@Vector(16, u16), @bitCast(both)) >> @splat(4))) & mask;
        inline for (0..tokens) |token| {
            const x = values + token * token_stride + vector * 4;
            const low_products = x86.multiplyAddBytes(low, x86.repeatQuad(x));
            const high_products = x86.multiplyAddBytes(high, x86.repeatQuad(x + int4.group_columns / 2));
            const first = if (vector == 0) low_products else x86.accumulateWords(sums[token], low_products);
            sums[token] = x86.accumulateWords(first, high_products);
        }
    }
    return sums;
}
