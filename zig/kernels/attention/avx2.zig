//! attention.zig in vectors of eight. The query heads of a group share one pass over keys and values: eight keys are
//! widened once for all heads, and a value vector is multiplied into several heads' outputs while it is in a register.
const std = @import("std");
const attention = @import("../attention.zig");
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");

const segment_positions = attention.segment_positions;
/// Query heads that share one pass; a larger group takes several.
const heads_max = 8;
/// Output vectors in flight in one block: two adders busy for the four cycles of an addition.
const sums_in_flight = 8;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const attention.Arguments = @ptrCast(@alignCast(arguments));
    const ratio = a.heads / a.key_value_heads;
    for (begin..end) |unit| {
        const token = unit / a.key_value_heads;
        const key_value_head = unit % a.key_value_heads;
        var head: usize = 0;
        while (head < ratio) : (head += heads_max) {
            const at = (token * a.heads + key_value_head * ratio + head) * a.head_dim;
            const heads = @min(heads_max, ratio - head);
            switch (a.element) {
                .f32 => Pass(.f32).attend(a, at, heads, key_value_head, a.start + token + 1),
                .f16 => Pass(.f16).attend(a, at, heads, key_value_head, a.start + token + 1),
                .bf16 => unreachable,
            }
        }
    }
}

/// One pass of up to `heads_max` query heads over the positions of one key-value head.
fn Pass(comptime element: format.Element) type {
    return struct {
        const Self = @This();
        const Stored = elements.Stored(element);

        /// f32 [heads][D]
        q: [*]const f32,
        /// f32 [heads][D]
        out: [*]f32,
        heads: usize,
        head_dim: usize,
        scale: f32,
        maxima: [heads_max]f32 = @splat(-std.math.inf(f32)),
        sums: [heads_max]f32 = @splat(0),
        /// By what the outputs so far are multiplied when a segment has a new maximum.
        corrections: [heads_max]f32 = undefined,
        /// Of one segment: scores, then their powers. Past the segment's end up to a multiple of eight: -inf, then 0.
        powers: [heads_max][segment_positions]f32 = undefined,

        /// Query heads whose vectors start at element `at` of q, over the first `positions` positions.
        fn attend(
            a: *const attention.Arguments,
            at: usize,
            heads: usize,
            key_value_head: usize,
            positions: usize,
        ) void {
            var self: Self = .{
                .q = a.q + at,
                .out = a.out + at,
                .heads = heads,
                .head_dim = a.head_dim,
                .scale = a.scale,
            };
            const cache_offset = key_value_head * a.capacity * a.head_dim;
            const keys = @as([*]const Stored, @ptrCast(a.key_cache)) + cache_offset;
            const values = @as([*]const Stored, @ptrCast(a.value_cache)) + cache_offset;
            @memset(self.out[0 .. heads * a.head_dim], 0);
            var first: usize = 0;
            while (first < positions) : (first += segment_positions) {
                const segment = @min(segment_positions, positions - first);
                self.scoreSegment(keys + first * a.head_dim, segment);
                for (0..heads) |head| self.weighSegment(head, segment, first == 0);
                self.addValues(values + first * a.head_dim, segment);
            }
            for (0..heads) |head| self.divide(head);
        }

        fn scoreSegment(self: *Self, keys: [*]const Stored, segment: usize) void {
            const size = self.head_dim;
            var widened: [lanes.count * attention.head_dim_max]f32 align(32) = undefined;
            var t: usize = 0;
            while (segment - t >= lanes.count) : (t += lanes.count) {
                const eight = keys + t * size;
                // One head reads the cache itself; several share one widening of the eight keys.
                if (element != .f32 and self.heads > 1) {
                    widenAll(eight, widened[0 .. lanes.count * size]);
                    for (0..self.heads) |head| self.scoreEight(.f32, &widened, head, t);
                } else {
                    for (0..self.heads) |head| self.scoreEight(element, eight, head, t);
                }
            }
            if (t == segment) return;
            for (0..self.heads) |head| {
                @memset(self.powers[head][t..][0..lanes.count], -std.math.inf(f32));
                for (t..segment) |position| {
                    const sums = dot(element, 1, self.q + head * size, keys + position * size, size);
                    self.powers[head][position] = lanes.fold(sums[0]) * self.scale;
                }
            }
        }

        inline fn scoreEight(
            self: *Self,
            comptime stored: format.Element,
            keys: [*]const elements.Stored(stored),
            head: usize,
            t: usize,
        ) void {
            const sums = dot(stored, lanes.count, self.q + head * self.head_dim, keys, self.head_dim);
            const scores = lanes.foldEight(sums) * @as(lanes.Lanes, @splat(self.scale));
            self.powers[head][t..][0..lanes.count].* = scores;
        }

        /// Scores to powers, and what depends on the segment's maximum.
        fn weighSegment(self: *Self, head: usize, segment: usize, is_first: bool) void {
            const powers = self.powers[head][0 .. (segment + lanes.count - 1) / lanes.count * lanes.count];
            var maxima: lanes.Lanes = @splat(self.maxima[head]);
            var t: usize = 0;
            while (t < powers.len) : (t += lanes.count) {
                const scores: lanes.Lanes = powers[t..][0..lanes.count].*;
                maxima = lanes.larger(scores, maxima);
            }
            var maximum = self.maxima[head];
            inline for (0..lanes.count) |lane| maximum = lanes.larger(maxima[lane], maximum);

            const correction = if (is_first) 0 else lanes.exponential(self.maxima[head] - maximum);
            var sums: lanes.Lanes = @splat(0);
            t = 0;
            while (t < powers.len) : (t += lanes.count) {
                const scores: lanes.Lanes = powers[t..][0..lanes.count].*;
                const power = lanes.exponential(scores - @as(lanes.Lanes, @splat(maximum)));
                powers[t..][0..lanes.count].* = power;
                sums = sums + power;
            }
            self.maxima[head] = maximum;
            self.corrections[head] = correction;
            self.sums[head] = self.sums[head] * correction + lanes.fold(sums);
        }

        fn addValues(self: *Self, values: [*]const Stored, segment: usize) void {
            var head: usize = 0;
            inline for (.{ 4, 2, 1 }) |heads| {
                while (self.heads - head >= heads) : (head += heads) self.addColumns(heads, head, values, segment);
            }
        }

        /// `heads` heads from `head`, all columns.
        fn addColumns(self: *Self, comptime heads: usize, head: usize, values: [*]const Stored, segment: usize) void {
            var column: usize = 0;
            inline for (.{ 8, 4, 2, 1 }) |vectors| {
                if (vectors * heads <= sums_in_flight) {
                    while (self.head_dim - column >= vectors * lanes.count) : (column += vectors * lanes.count) {
                        self.addBlock(heads, vectors, head, column, values + column, segment);
                    }
                }
            }
            while (column < self.head_dim) : (column += 1) {
                for (head..head + heads) |h| {
                    const out = &self.out[h * self.head_dim + column];
                    var sum = out.* * self.corrections[h];
                    for (self.powers[h][0..segment], 0..) |power, t| {
                        sum += power * elements.widen(element, values[t * self.head_dim + column]);
                    }
                    out.* = sum;
                }
            }
        }

        /// `heads` heads times `vectors` vectors of eight columns; `values` points at the first of the columns.
        inline fn addBlock(
            self: *Self,
            comptime heads: usize,
            comptime vectors: usize,
            head: usize,
            column: usize,
            values: [*]const Stored,
            segment: usize,
        ) void {
            const out = self.out + head * self.head_dim + column;
            var sums: [heads][vectors]lanes.Lanes = undefined;
            inline for (0..heads) |h| inline for (0..vectors) |v| {
                const so_far: lanes.Lanes = out[h * self.head_dim + v * lanes.count ..][0..lanes.count].*;
                sums[h][v] = so_far * @as(lanes.Lanes, @splat(self.corrections[head + h]));
            };
            for (0..segment) |t| {
                var value: [vectors]lanes.Lanes = undefined;
                inline for (&value, 0..) |*vector, v| {
                    vector.* = elements.load(element, values + t * self.head_dim + v * lanes.count);
                }
                inline for (0..heads) |h| {
                    const power: lanes.Lanes = @splat(self.powers[head + h][t]);
                    inline for (0..vectors) |v| sums[h][v] = sums[h][v] + power * value[v];
                }
            }
            inline for (0..heads) |h| inline for (0..vectors) |v| {
                out[h * self.head_dim + v * lanes.count ..][0..lanes.count].* = sums[h][v];
            };
        }

        fn divide(self: *Self, head: usize) void {
            const out = self.out[head * self.head_dim ..][0..self.head_dim];
            const sum: lanes.Lanes = @splat(self.sums[head]);
            var j: usize = 0;
            while (out.len - j >= lanes.count) : (j += lanes.count) {
                const value: lanes.Lanes = out[j..][0..lanes.count].*;
                out[j..][0..lanes.count].* = value / sum;
            }
            for (out[j..]) |*value| value.* = value.* / self.sums[head];
        }

        fn widenAll(stored: [*]const Stored, widened: []f32) void {
            var i: usize = 0;
            while (widened.len - i >= lanes.count) : (i += lanes.count) {
                widened[i..][0..lanes.count].* = elements.load(element, stored + i);
            }
        }
    };
}

/// The lanes of `q` times each of `keys_count` keys, not yet folded.
inline fn dot(
    comptime element: format.Element,
    comptime keys_count: usize,
    q: [*]const f32,
    keys: [*]const elements.Stored(element),
    size: usize,
) [keys_count]lanes.Lanes {
    const whole = size - size % lanes.count;
    var sums: [keys_count]lanes.Lanes = @splat(@splat(0));
    var j: usize = 0;
    while (j < whole) : (j += lanes.count) {
        const values: lanes.Lanes = q[j..][0..lanes.count].*;
        inline for (&sums, 0..) |*sum, key| sum.* = sum.* + values * elements.load(element, keys + key * size + j);
    }
    if (whole < size) {
        const values = lanes.loadPart(q + whole, size - whole);
        inline for (&sums, 0..) |*sum, key| {
            sum.* = sum.* + values * elements.loadPart(element, keys + key * size + whole, size - whole);
        }
    }
    return sums;
}
