//! Causal attention, AVX2 with FMA, in tiles of 64 keys x 64 queries. Scores are kept transposed, S^T [keys][queries]: a
//! vector's lanes are queries, so that the softmax needs no sum across lanes, and every product reads q, k, v and do where
//! they lie; only q and do are transposed, once for a block of queries.
//!
//! head_dim is a multiple of 8; others go to scalar.zig.
const std = @import("std");
const attention = @import("../attention.zig");
const lanes = @import("../lanes.zig");
const tile = @import("tile.zig");

const Arguments = attention.Arguments(f32);
const Lanes = lanes.Lanes;
const block = attention.block_tokens;
const dim_max = attention.head_dim_max;
const vectors = block / lanes.count;
/// One number for each query of a block.
const Row = [vectors]Lanes;
const lowest = -std.math.inf(f32);

/// A block of queries of one head, and what it has in common for all blocks of keys.
const Queries = struct {
    b: usize,
    h: usize,
    g: usize,
    first: usize,
    count: usize,

    fn init(a: *const Arguments, b: usize, h: usize, first: usize) Queries {
        return .{ .b = b, .h = h, .g = h / (a.heads / a.key_value_heads), .first = first, .count = @min(block, a.tokens - first) };
    }
};

/// The offset of each query from the first one, as lanes.
const offsets: Row = rows: {
    var rows: [vectors][lanes.count]f32 = undefined;
    for (&rows, 0..) |*row, i| for (row, 0..) |*value, j| {
        value.* = i * lanes.count + j;
    };
    var result: Row = undefined;
    for (&result, rows) |*lane, row| lane.* = row;
    break :rows result;
};

pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const head = unit / a.blocks();
        forwardBlock(a, .init(a, head / a.heads, head % a.heads, unit % a.blocks() * block));
    }
}

fn forwardBlock(a: *const Arguments, queries: Queries) void {
    var q: [dim_max * block]f32 align(64) = undefined;
    var scores: [block * block]f32 align(64) = undefined;
    var mixed: [block * dim_max]f32 align(64) = undefined;
    const dim = a.head_dim;
    const query_pitch = a.heads * dim;
    const key_pitch = a.key_value_heads * dim;
    tile.transpose(block, a.q + a.queryOffset(queries.b, queries.first, queries.h), query_pitch, queries.count, dim, a.scale(), &q);
    @memset(mixed[0 .. block * dim], 0);
    var maxima: Row = @splat(@splat(lowest));
    var totals: Row = @splat(@splat(0));
    var first_key: usize = 0;
    while (first_key <= queries.first) : (first_key += block) {
        const count = @min(block, a.tokens - first_key);
        const key = a.keyOffset(queries.b, first_key, queries.g);
        scoreBlock(count, dim, .{ .base = a.k + key, .row = key_pitch, .depth = 1 }, &q, &scores);
        const shrink = softmaxBlock(&scores, count, first_key == queries.first, &maxima, &totals);
        const shrinks: [block]f32 = @bitCast(shrink);
        for (shrinks[0..queries.count], 0..) |factor, i| {
            if (factor == 1) continue;
            var d: usize = 0;
            while (d < dim) : (d += lanes.count) {
                const cell = mixed[i * dim + d ..].ptr;
                lanes.store(cell, lanes.load(cell) * @as(Lanes, @splat(factor)));
            }
        }
        const left = tile.Left{ .base = &scores, .row = 1, .depth = block };
        tile.multiply(true, queries.count, dim, count, left, .{ .base = a.v + key, .pitch = key_pitch }, .{ .base = &mixed, .pitch = dim });
    }
    const sums: [block]f32 = @bitCast(totals);
    const tops: [block]f32 = @bitCast(maxima);
    for (0..queries.count) |i| {
        const out = a.o + a.queryOffset(queries.b, queries.first + i, queries.h);
        const inverse: Lanes = @splat(1 / sums[i]);
        var d: usize = 0;
        while (d < dim) : (d += lanes.count) lanes.store(out + d, lanes.load(mixed[i * dim + d ..].ptr) * inverse);
        a.log_sum_exp[(queries.b * a.heads + queries.h) * a.tokens + queries.first + i] = tops[i] + @log(sums[i]);
    }
}

/// scores [keys][queries] = keys times transposed queries.
fn scoreBlock(count: usize, dim: usize, keys: tile.Left, transposed: [*]const f32, scores: [*]f32) void {
    tile.multiply(false, count, block, dim, keys, .{ .base = transposed, .pitch = block }, .{ .base = scores, .pitch = block });
}

/// Scores to weights e^(s - maximum), the maxima and totals taken further; gives what older sums are to be multiplied by.
fn softmaxBlock(scores: [*]f32, count: usize, is_diagonal: bool, maxima: *Row, totals: *Row) Row {
    var shrink: Row = undefined;
    inline for (0..vectors) |i| {
        const column = scores + i * lanes.count;
        if (is_diagonal) maskFuture(column, count, i);
        var maximum = maxima[i];
        for (0..count) |j| maximum = lanes.larger(lanes.load(column + j * block), maximum);
        var total: Lanes = @splat(0);
        for (0..count) |j| {
            const weight = lanes.exponential(lanes.load(column + j * block) - maximum);
            lanes.store(column + j * block, weight);
            total += weight;
        }
        shrink[i] = lanes.exponential(maxima[i] - maximum);
        totals[i] = lanes.fused(totals[i], shrink[i], total);
        maxima[i] = maximum;
    }
    return shrink;
}

/// -infinity where a key comes after its query, in the block whose queries and keys begin together.
inline fn maskFuture(column: [*]f32, count: usize, comptime i: usize) void {
    for (@min(count, i * lanes.count)..count) |j| {
        const position: Lanes = @splat(@floatFromInt(j));
        const value = lanes.load(column + j * block);
        lanes.store(column + j * block, @select(f32, offsets[i] < position, @as(Lanes, @splat(lowest)), value));
    }
}

/// All of the backward for key-value heads of sequences `begin`..`end` (b G + g): the blocks of queries in order, for each
/// the blocks of keys up to its own.
pub fn backward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const group = a.heads / a.key_value_heads;
    for (begin..end) |unit| {
        const b = unit / a.key_value_heads;
        const g = unit % a.key_value_heads;
        for (0..a.tokens) |t| {
            @memset(a.dk[a.keyOffset(b, t, g)..][0..a.head_dim], 0);
            @memset(a.dv[a.keyOffset(b, t, g)..][0..a.head_dim], 0);
        }
        for (g * group..(g + 1) * group) |h| {
            var first: usize = 0;
            while (first < a.tokens) : (first += block) backwardBlock(a, .init(a, b, h, first));
        }
    }
}

fn backwardBlock(a: *const Arguments, queries: Queries) void {
    var q: [dim_max * block]f32 align(64) = undefined;
    var d_o: [dim_max * block]f32 align(64) = undefined;
    var weights: [block * block]f32 align(64) = undefined;
    var gradients: [block * block]f32 align(64) = undefined;
    const dim = a.head_dim;
    const query_pitch = a.heads * dim;
    const key_pitch = a.key_value_heads * dim;
    const query = a.queryOffset(queries.b, queries.first, queries.h);
    tile.transpose(block, a.q + query, query_pitch, queries.count, dim, a.scale(), &q);
    tile.transpose(block, a.d_o + query, query_pitch, queries.count, dim, 1, &d_o);
    const logs, const deltas = rowsOf(a, queries);
    for (0..queries.count) |i| @memset(a.dq[query + i * query_pitch ..][0..dim], 0);
    var first_key: usize = 0;
    while (first_key <= queries.first) : (first_key += block) {
        const count = @min(block, a.tokens - first_key);
        const key = a.keyOffset(queries.b, first_key, queries.g);
        scoreBlock(count, dim, .{ .base = a.k + key, .row = key_pitch, .depth = 1 }, &q, &weights);
        scoreBlock(count, dim, .{ .base = a.v + key, .row = key_pitch, .depth = 1 }, &d_o, &gradients);
        differentiate(&weights, &gradients, count, first_key == queries.first, &logs, &deltas, a.scale());
        // Each key's sum over the queries, then each query's over the keys.
        const by_key = tile.Left{ .base = &weights, .row = block, .depth = 1 };
        const change_by_key = tile.Left{ .base = &gradients, .row = block, .depth = 1 };
        const change_by_query = tile.Left{ .base = &gradients, .row = 1, .depth = block };
        const in_queries = queries.count;
        tile.multiply(true, count, dim, in_queries, by_key, .{ .base = a.d_o + query, .pitch = query_pitch }, .{ .base = a.dv + key, .pitch = key_pitch });
        tile.multiply(true, count, dim, in_queries, change_by_key, .{ .base = a.q + query, .pitch = query_pitch }, .{ .base = a.dk + key, .pitch = key_pitch });
        tile.multiply(true, in_queries, dim, count, change_by_query, .{ .base = a.k + key, .pitch = key_pitch }, .{ .base = a.dq + query, .pitch = query_pitch });
    }
}

/// Scores to weights p, and the gradients dp to ds / sqrt(D), in place.
fn differentiate(weights: [*]f32, gradients: [*]f32, count: usize, is_diagonal: bool, logs: *const Row, deltas: *const Row, scale: f32) void {
    inline for (0..vectors) |i| {
        const column = weights + i * lanes.count;
        const changes = gradients + i * lanes.count;
        if (is_diagonal) maskFuture(column, count, i);
        for (0..count) |j| {
            const weight = lanes.exponential(lanes.load(column + j * block) - logs[i]);
            lanes.store(column + j * block, weight);
            const change = lanes.load(changes + j * block) - deltas[i];
            lanes.store(changes + j * block, weight * change * @as(Lanes, @splat(scale)));
        }
    }
}

/// l and delta of a block of queries; for those past the end, numbers whose weights are 0.
fn rowsOf(a: *const Arguments, queries: Queries) struct { Row, Row } {
    var logs: [block]f32 = @splat(std.math.inf(f32));
    var deltas: [block]f32 = @splat(0);
    const dim = a.head_dim;
    for (0..queries.count) |i| {
        const token = queries.first + i;
        logs[i] = a.log_sum_exp[(queries.b * a.heads + queries.h) * a.tokens + token];
        const offset = a.queryOffset(queries.b, token, queries.h);
        var sum: Lanes = @splat(0);
        var d: usize = 0;
        while (d < dim) : (d += lanes.count) sum = lanes.fused(lanes.load(a.o + offset + d), lanes.load(a.d_o + offset + d), sum);
        deltas[i] = lanes.fold(sum);
    }
    return .{ @bitCast(logs), @bitCast(deltas) };
}
