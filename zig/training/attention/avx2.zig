//! Causal attention in vectors of eight, AVX2 with FMA: tiles of 64 queries against 64 keys. One row of a tile meets all
//! 64 columns of the other at once (the other tile lies transposed), so that scores, exponentials and their gradients are
//! eight vectors; sums over the 64 columns then run along the head's dimensions. The softmax runs from tile to tile
//! (Milakov and Gimelshein 2018; Dao et al. 2022).
const std = @import("std");
const attention = @import("../attention.zig");
const lanes = @import("../../kernels/lanes.zig");

const Arguments = attention.Arguments(f32);
const Vector = lanes.Lanes;
const tile_tokens = attention.block_tokens;
const vector_count = tile_tokens / lanes.count;
/// One number for each column of a tile.
const Columns = [vector_count]Vector;
/// [tile_tokens][width] or [head_dim][tile_tokens], with the width of a head padded to whole vectors.
const Tile = [tile_tokens * attention.head_dim_max]f32;
/// Vectors of a head that are summed at once.
const chunk_vectors = 4;

fn paddedWidth(head_dim: usize) usize {
    return std.mem.alignForward(usize, head_dim, lanes.count);
}

/// The tokens `first`.. of a head, up to a tile of them.
const Rows = struct {
    source: [*]const f32,
    /// From one token to the next.
    stride: usize,
    count: usize,
    head_dim: usize,

    fn row(self: Rows, index: usize) [*]const f32 {
        return self.source + index * self.stride;
    }

    /// target [head_dim][tile_tokens], zero for columns that there are no tokens for.
    fn transpose(self: Rows, target: *Tile) void {
        if (self.count < tile_tokens) @memset(target[0 .. self.head_dim * tile_tokens], 0);
        for (0..self.count) |token| {
            const source = self.row(token)[0..self.head_dim];
            for (source, 0..) |value, d| target[d * tile_tokens + token] = value;
        }
    }

    /// target [count][padded width], zero behind each row.
    fn pad(self: Rows, target: *Tile) void {
        const width = paddedWidth(self.head_dim);
        for (0..self.count) |token| {
            const to = target[token * width ..][0..width];
            @memcpy(to[0..self.head_dim], self.row(token)[0..self.head_dim]);
            @memset(to[self.head_dim..], 0);
        }
    }
};

/// Tokens `first`.. of head h in an array of queries, or of key-value head h in an array of keys.
fn rowsOf(a: *const Arguments, source: [*]const f32, heads: usize, b: usize, first: usize, h: usize) Rows {
    return .{
        .source = source + ((b * a.tokens + first) * heads + h) * a.head_dim,
        .stride = heads * a.head_dim,
        .count = @min(tile_tokens, a.tokens - first),
        .head_dim = a.head_dim,
    };
}

/// The products of `row` [head_dim] with every column of `columns` [head_dim][tile_tokens].
inline fn dotColumns(row: [*]const f32, columns: *const Tile, head_dim: usize) Columns {
    var sums: Columns = @splat(@as(Vector, @splat(0)));
    for (0..head_dim) |d| {
        const value: Vector = @splat(row[d]);
        const line = columns[d * tile_tokens ..][0..tile_tokens];
        inline for (0..vector_count) |v| {
            sums[v] = @mulAdd(Vector, value, line[v * lanes.count ..][0..lanes.count].*, sums[v]);
        }
    }
    return sums;
}

/// target [width] += the sum over j in begin..end of weights[j] * rows[j], rows [tile_tokens][width].
fn mix(weights: *const [tile_tokens]f32, rows: *const Tile, begin: usize, end: usize, width: usize, target: [*]f32) void {
    var column: usize = 0;
    while (column < width) {
        const left = (width - column) / lanes.count;
        column += switch (left) {
            1 => mixChunk(1, weights, rows, begin, end, width, column, target),
            2 => mixChunk(2, weights, rows, begin, end, width, column, target),
            3 => mixChunk(3, weights, rows, begin, end, width, column, target),
            else => mixChunk(chunk_vectors, weights, rows, begin, end, width, column, target),
        };
    }
}

/// Even and odd rows are summed apart, so that two chains of additions are under way.
inline fn mixChunk(
    comptime vectors: usize,
    weights: *const [tile_tokens]f32,
    rows: *const Tile,
    begin: usize,
    end: usize,
    width: usize,
    column: usize,
    target: [*]f32,
) usize {
    var even: [vectors]Vector = @splat(@as(Vector, @splat(0)));
    var odd: [vectors]Vector = @splat(@as(Vector, @splat(0)));
    var j = begin;
    while (j + 2 <= end) : (j += 2) {
        const first: Vector = @splat(weights[j]);
        const second: Vector = @splat(weights[j + 1]);
        inline for (0..vectors) |v| {
            const place = j * width + column + v * lanes.count;
            even[v] = @mulAdd(Vector, first, rows[place..][0..lanes.count].*, even[v]);
            odd[v] = @mulAdd(Vector, second, rows[place + width ..][0..lanes.count].*, odd[v]);
        }
    }
    if (j < end) {
        const last: Vector = @splat(weights[j]);
        inline for (0..vectors) |v| {
            even[v] = @mulAdd(Vector, last, rows[j * width + column + v * lanes.count ..][0..lanes.count].*, even[v]);
        }
    }
    inline for (0..vectors) |v| {
        const out = target[column + v * lanes.count ..][0..lanes.count];
        out.* = @as(Vector, out.*) + (even[v] + odd[v]);
    }
    return vectors * lanes.count;
}

/// `values` where begin <= column < end, else `otherwise`.
inline fn within(values: Columns, begin: usize, end: usize, otherwise: f32) Columns {
    const low: @Vector(lanes.count, i32) = @splat(@intCast(begin));
    const high: @Vector(lanes.count, i32) = @splat(@intCast(end));
    const other: Vector = @splat(otherwise);
    var result: Columns = undefined;
    inline for (0..vector_count) |v| {
        const column = comptime std.simd.iota(i32, lanes.count) + @as(@Vector(lanes.count, i32), @splat(v * lanes.count));
        result[v] = @select(f32, column < high, @select(f32, column >= low, values[v], other), other);
    }
    return result;
}

pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const head = unit / a.blocks();
        forwardBlock(a, head / a.heads, head % a.heads, unit % a.blocks() * tile_tokens);
    }
}

fn forwardBlock(a: *const Arguments, b: usize, h: usize, first: usize) void {
    const g = h / (a.heads / a.key_value_heads);
    const width = paddedWidth(a.head_dim);
    const scale: Vector = @splat(a.scale());
    const queries = rowsOf(a, a.q, a.heads, b, first, h);
    var keys: Tile = undefined;
    var values: Tile = undefined;
    var mixed: Tile = undefined;
    @memset(mixed[0 .. queries.count * width], 0);
    var maxima: [tile_tokens]f32 = @splat(-std.math.inf(f32));
    var totals: [tile_tokens]f32 = @splat(0);
    var key: usize = 0;
    while (key <= first) : (key += tile_tokens) {
        rowsOf(a, a.k, a.key_value_heads, b, key, g).transpose(&keys);
        rowsOf(a, a.v, a.key_value_heads, b, key, g).pad(&values);
        for (0..queries.count) |i| {
            // The keys of this tile that the query sees.
            const count = @min(tile_tokens, first + i + 1 - key);
            var scores = dotColumns(queries.row(i), &keys, a.head_dim);
            inline for (&scores) |*score| score.* *= scale;
            if (count < tile_tokens) scores = within(scores, 0, count, -std.math.inf(f32));
            var largest = scores[0];
            inline for (scores[1..]) |score| largest = @max(largest, score);
            const maximum = @max(maxima[i], @reduce(.Max, largest));
            const shrink = lanes.exponential(maxima[i] - maximum);
            var weights: [tile_tokens]f32 = undefined;
            var sum: Vector = @splat(0);
            inline for (scores, 0..) |score, v| {
                const weight = lanes.exponential(score - @as(Vector, @splat(maximum)));
                weights[v * lanes.count ..][0..lanes.count].* = weight;
                sum += weight;
            }
            totals[i] = totals[i] * shrink + lanes.fold(sum);
            maxima[i] = maximum;
            const target = mixed[i * width ..][0..width];
            if (shrink != 1) for (target) |*value| {
                value.* *= shrink;
            };
            mix(&weights, &values, 0, count, width, target.ptr);
        }
    }
    for (0..queries.count) |i| {
        const out = a.o[a.queryOffset(b, first + i, h)..][0..a.head_dim];
        const factor = 1 / totals[i];
        for (out, mixed[i * width ..][0..a.head_dim]) |*value, sum| value.* = sum * factor;
        a.log_sum_exp[(b * a.heads + h) * a.tokens + first + i] = maxima[i] + @log(totals[i]);
    }
}

pub fn backwardQuery(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const head = unit / a.blocks();
        backwardQueryBlock(a, head / a.heads, head % a.heads, unit % a.blocks() * tile_tokens);
    }
}

fn backwardQueryBlock(a: *const Arguments, b: usize, h: usize, first: usize) void {
    const g = h / (a.heads / a.key_value_heads);
    const width = paddedWidth(a.head_dim);
    const scale: Vector = @splat(a.scale());
    const queries = rowsOf(a, a.q, a.heads, b, first, h);
    const gradients = rowsOf(a, a.d_o, a.heads, b, first, h);
    const row = (b * a.heads + h) * a.tokens + first;
    var keys: Tile = undefined;
    var values: Tile = undefined;
    var key_rows: Tile = undefined;
    var sums: Tile = undefined;
    @memset(sums[0 .. queries.count * width], 0);
    var key: usize = 0;
    while (key <= first) : (key += tile_tokens) {
        const rows = rowsOf(a, a.k, a.key_value_heads, b, key, g);
        rows.transpose(&keys);
        rows.pad(&key_rows);
        rowsOf(a, a.v, a.key_value_heads, b, key, g).transpose(&values);
        for (0..queries.count) |i| {
            const count = @min(tile_tokens, first + i + 1 - key);
            const scores = dotColumns(queries.row(i), &keys, a.head_dim);
            const mixes = dotColumns(gradients.row(i), &values, a.head_dim);
            const log_sum: Vector = @splat(a.log_sum_exp[row + i]);
            const delta_i: Vector = @splat(a.deltas[row + i]);
            var weights: [tile_tokens]f32 = undefined;
            inline for (scores, mixes, 0..) |score, mixed, v| {
                const p = lanes.exponential(score * scale - log_sum);
                weights[v * lanes.count ..][0..lanes.count].* = p * (mixed - delta_i) * scale;
            }
            mix(&weights, &key_rows, 0, count, width, sums[i * width ..].ptr);
        }
    }
    for (0..queries.count) |i| {
        const out = a.dq[a.queryOffset(b, first + i, h)..][0..a.head_dim];
        @memcpy(out, sums[i * width ..][0..a.head_dim]);
    }
}

pub fn backwardKeyValue(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const head = unit / a.blocks();
        backwardKeyValueBlock(a, head / a.key_value_heads, head % a.key_value_heads, unit % a.blocks() * tile_tokens);
    }
}

fn backwardKeyValueBlock(a: *const Arguments, b: usize, g: usize, first: usize) void {
    const group = a.heads / a.key_value_heads;
    const width = paddedWidth(a.head_dim);
    const scale: Vector = @splat(a.scale());
    const keys = rowsOf(a, a.k, a.key_value_heads, b, first, g);
    const values = rowsOf(a, a.v, a.key_value_heads, b, first, g);
    var queries: Tile = undefined;
    var query_rows: Tile = undefined;
    var gradients: Tile = undefined;
    var gradient_rows: Tile = undefined;
    var key_sums: Tile = undefined;
    var value_sums: Tile = undefined;
    @memset(key_sums[0 .. keys.count * width], 0);
    @memset(value_sums[0 .. keys.count * width], 0);
    for (g * group..(g + 1) * group) |h| {
        var query = first;
        while (query < a.tokens) : (query += tile_tokens) {
            const rows = rowsOf(a, a.q, a.heads, b, query, h);
            const gradient = rowsOf(a, a.d_o, a.heads, b, query, h);
            rows.transpose(&queries);
            rows.pad(&query_rows);
            gradient.transpose(&gradients);
            gradient.pad(&gradient_rows);
            const row = (b * a.heads + h) * a.tokens + query;
            var log_sums: [tile_tokens]f32 = @splat(0);
            var deltas: [tile_tokens]f32 = @splat(0);
            @memcpy(log_sums[0..rows.count], a.log_sum_exp[row..][0..rows.count]);
            @memcpy(deltas[0..rows.count], a.deltas[row..][0..rows.count]);
            for (0..keys.count) |j| {
                // The queries of this tile that see the key; padding is left out by both sums' ends.
                const begin = if (query == first) j else 0;
                const scores = dotColumns(keys.row(j), &queries, a.head_dim);
                const mixes = dotColumns(values.row(j), &gradients, a.head_dim);
                var weights: [tile_tokens]f32 = undefined;
                var slopes: [tile_tokens]f32 = undefined;
                inline for (scores, mixes, 0..) |score, mixed, v| {
                    const place = v * lanes.count;
                    const log_sum: Vector = log_sums[place..][0..lanes.count].*;
                    const p = lanes.exponential(score * scale - log_sum);
                    weights[place..][0..lanes.count].* = p;
                    slopes[place..][0..lanes.count].* = p * (mixed - @as(Vector, deltas[place..][0..lanes.count].*)) * scale;
                }
                mix(&slopes, &query_rows, begin, rows.count, width, key_sums[j * width ..].ptr);
                mix(&weights, &gradient_rows, begin, rows.count, width, value_sums[j * width ..].ptr);
            }
        }
    }
    for (0..keys.count) |j| {
        const place = a.keyOffset(b, first + j, g);
        @memcpy(a.dk[place..][0..a.head_dim], key_sums[j * width ..][0..a.head_dim]);
        @memcpy(a.dv[place..][0..a.head_dim], value_sums[j * width ..][0..a.head_dim]);
    }
}
