//! q6k_linear.zig, 32 columns an instruction. The codes are taken as 0..63; what the 32 in each adds is 32 times the sum
//! over the sub-blocks of sub-scale times sum of activations, one multiply-and-add a block with prepare.zig's sums of 16.
//! Eight blocks' sums are transposed into one vector of terms, one for each lane.
//!
//! Bounds. A multiply-and-add of bytes gives at most 2 * 63 * 127 = 16002 in magnitude, which fits 16 bits; times two
//! sub-scales of at most 128, over eight vectors: 8 * 2 * 128 * 16002 = 2^25. Sums of 16 activations: 2032.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const q6k_linear = @import("../q6k_linear.zig");
const x86 = @import("../x86.zig");

const q6k = format.q6k;
const Bytes = x86.Bytes;
const DoubleWords = x86.DoubleWords;
const Operands = q6k_linear.Operands;
const Words = x86.Words;

/// Tokens that share one unpacking.
const tokens_together = 4;
/// How far ahead of use the codes are fetched, in bytes: about one memory latency at the speed they are consumed.
const prefetch_bytes = 4096;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    for (begin..end) |row| {
        var token: usize = 0;
        while (token < operands.tokens) {
            const together = @min(tokens_together, operands.tokens - token);
            switch (together) {
                inline 1...tokens_together => |tokens| computeTokens(tokens, operands, row, token),
                else => unreachable,
            }
            token += together;
        }
    }
}

/// One row for `tokens` tokens from `first_token` on.
fn computeTokens(comptime tokens: usize, operands: Operands, row: usize, first_token: usize) void {
    // The steps unrolled below are more than the thousand that the compiler evaluates unasked.
    @setEvalBranchQuota(10_000);
    var totals: [tokens]lanes.Lanes = @splat(@splat(0));
    var first_block: usize = 0;
    while (first_block < operands.blocks) : (first_block += lanes.count) {
        const count = @min(lanes.count, operands.blocks - first_block);
        var partial: [lanes.count][tokens]DoubleWords = undefined;
        for (partial[0..count], first_block..) |*sums, block| {
            sums.* = sumBlock(tokens, operands, row, first_token, block);
        }
        // Blocks that do not exist have sum 0 and weight scale 0: they add 0.
        for (partial[count..]) |*sums| sums.* = @splat(@splat(0));
        const weight_scales = loadPart(f16, operands.weight_scales + row * operands.blocks + first_block, count);
        inline for (&totals, 0..) |*total, token| {
            const scales = loadPart(f32, operands.scales + (first_token + token) * operands.blocks + first_block, count);
            const factors = @as(lanes.Lanes, @floatCast(weight_scales)) * scales;
            total.* = total.* + @as(lanes.Lanes, @floatFromInt(sumUp(tokens, &partial, token))) * factors;
        }
    }
    inline for (totals, 0..) |total, token| {
        operands.y[(first_token + token) * operands.rows + row] = lanes.fold(total);
    }
}

/// The sums of eight blocks, one a lane.
inline fn sumUp(comptime tokens: usize, partial: *const [lanes.count][tokens]DoubleWords, comptime token: usize) DoubleWords {
    var quads: [2]DoubleWords = undefined;
    inline for (&quads, 0..) |*quad, half| {
        const first = x86.addNeighbours(partial[half * 4][token], partial[half * 4 + 1][token]);
        quad.* = x86.addNeighbours(first, x86.addNeighbours(partial[half * 4 + 2][token], partial[half * 4 + 3][token]));
    }
    return x86.addHalves(quads[0], quads[1]);
}

/// The first `count` (1..8) numbers at `numbers`, the other lanes zero.
inline fn loadPart(comptime T: type, numbers: [*]const T, count: usize) @Vector(lanes.count, T) {
    if (count == lanes.count) return numbers[0..lanes.count].*;
    var part: [lanes.count]T = @splat(0);
    for (numbers[0..count], part[0..count]) |number, *lane| lane.* = number;
    return part;
}

/// A block's integer sum for each token, spread over the lanes.
inline fn sumBlock(
    comptime tokens: usize,
    operands: Operands,
    row: usize,
    first_token: usize,
    block: usize,
) [tokens]DoubleWords {
    const cell = row * operands.blocks + block;
    const codes = &operands.codes[cell];
    inline for (0..q6k.codes_bytes / 64) |line| x86.prefetch(codes[line * 64 ..], prefetch_bytes);
    const sub_scales: Words = @as(@Vector(q6k.sub_scales, i8), operands.sub_scales[cell]);
    var sums: [tokens]DoubleWords = undefined;
    inline for (0..2) |half| {
        const vectors = unpack(codes[half * q6k.half_bytes ..][0..q6k.half_bytes]);
        inline for (vectors, half * vectors.len..) |vector, number| {
            const factors = spread(sub_scales, number);
            inline for (&sums, 0..) |*sum, token| {
                const values: [*]const u8 = @ptrCast(&operands.values[(first_token + token) * operands.blocks + block]);
                const products = x86.multiplyAddBytes(vector, @bitCast(x86.load(values + number * 32)));
                const scaled = x86.multiplyAddWords(products, factors);
                sum.* = if (number == 0) scaled else sum.* +% scaled;
            }
        }
    }
    inline for (&sums, 0..) |*sum, token| {
        const half_sums: Words = operands.half_sums[(first_token + token) * operands.blocks + block];
        const excess = x86.multiplyAddWords(sub_scales, half_sums) << @splat(@ctz(@as(u32, q6k.offset)));
        sum.* = sum.* -% excess;
    }
    return sums;
}

/// The codes of half a block, 32 columns a vector.
inline fn unpack(codes: *const [q6k.half_bytes]u8) [4]Bytes {
    const low: Bytes = @splat(63);
    const high: Bytes = @splat(192);
    var vectors: [4]Bytes = undefined;
    var upper: @Vector(16, u16) = @splat(0);
    inline for (vectors[0..3], 0..) |*vector, number| {
        const bytes = x86.load(codes[number * 32 ..]);
        vector.* = bytes & low;
        // The bits that came first move down by two with each vector.
        upper = upper >> @splat(2) | @as(@Vector(16, u16), @bitCast(bytes & high));
    }
    vectors[3] = @bitCast(upper >> @splat(2));
    return vectors;
}

/// The sub-scales of columns 32 * number .. 32 * number + 31, one for each half of the vector.
inline fn spread(sub_scales: Words, comptime number: usize) Words {
    const indexes: Bytes = @bitCast(@as(@Vector(16, u16), @splat((2 * number + 1) << 8 | 2 * number)));
    return @bitCast(x86.lookUp(@bitCast(sub_scales), indexes));
}
