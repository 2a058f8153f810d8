//! Causal attention, scalar: one query against one key at a time, the softmax running (Milakov and Gimelshein 2018).
const std = @import("std");
const attention = @import("../attention.zig");

pub fn Scalar(comptime Float: type) type {
    const Arguments = attention.Arguments(Float);
    return struct {
        pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            for (begin..end) |unit| {
                const head = unit / a.blocks();
                const first = unit % a.blocks() * attention.block_tokens;
                for (first..@min(a.tokens, first + attention.block_tokens)) |i| {
                    forwardQuery(a, head / a.heads, head % a.heads, i);
                }
            }
        }

        fn forwardQuery(a: *const Arguments, b: usize, h: usize, i: usize) void {
            const g = h / (a.heads / a.key_value_heads);
            const q = a.q[a.queryOffset(b, i, h)..][0..a.head_dim];
            var sums: [attention.head_dim_max]Float = undefined;
            const mixed = sums[0..a.head_dim];
            @memset(mixed, 0);
            var maximum: Float = -std.math.inf(Float);
            var total: Float = 0;
            for (0..i + 1) |j| {
                const score = dot(q, a.k[a.keyOffset(b, j, g)..][0..a.head_dim]) * a.scale();
                const larger = @max(maximum, score);
                const shrink = @exp(maximum - larger);
                const weight = @exp(score - larger);
                total = total * shrink + weight;
                for (mixed, a.v[a.keyOffset(b, j, g)..]) |*sum, value| sum.* = sum.* * shrink + weight * value;
                maximum = larger;
            }
            for (a.o[a.queryOffset(b, i, h)..][0..a.head_dim], mixed) |*out, sum| out.* = sum / total;
            a.log_sum_exp[(b * a.heads + h) * a.tokens + i] = maximum + @log(total);
        }

        pub fn delta(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            for (begin..end) |unit| {
                const h = unit % a.heads;
                const t = unit / a.heads % a.tokens;
                const b = unit / a.heads / a.tokens;
                const offset = unit * a.head_dim;
                a.deltas[(b * a.heads + h) * a.tokens + t] = dot(a.d_o[offset..][0..a.head_dim], a.o[offset..][0..a.head_dim]);
            }
        }

        pub fn backwardQuery(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            for (begin..end) |unit| {
                const head = unit / a.blocks();
                const b = head / a.heads;
                const h = head % a.heads;
                const g = h / (a.heads / a.key_value_heads);
                const first = unit % a.blocks() * attention.block_tokens;
                for (first..@min(a.tokens, first + attention.block_tokens)) |i| {
                    const dq = a.dq[a.queryOffset(b, i, h)..][0..a.head_dim];
                    @memset(dq, 0);
                    for (0..i + 1) |j| {
                        const weights = pair(a, b, h, g, i, j);
                        for (dq, a.k[a.keyOffset(b, j, g)..]) |*out, key| out.* += weights.ds * a.scale() * key;
                    }
                }
            }
        }

        pub fn backwardKeyValue(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            const group = a.heads / a.key_value_heads;
            for (begin..end) |unit| {
                const b = unit / a.blocks() / a.key_value_heads;
                const g = unit / a.blocks() % a.key_value_heads;
                const first = unit % a.blocks() * attention.block_tokens;
                for (first..@min(a.tokens, first + attention.block_tokens)) |j| {
                    const dk = a.dk[a.keyOffset(b, j, g)..][0..a.head_dim];
                    const dv = a.dv[a.keyOffset(b, j, g)..][0..a.head_dim];
                    @memset(dk, 0);
                    @memset(dv, 0);
                    for (g * group..(g + 1) * group) |h| for (j..a.tokens) |i| {
                        const weights = pair(a, b, h, g, i, j);
                        const offset = a.queryOffset(b, i, h);
                        for (dk, a.q[offset..]) |*out, query| out.* += weights.ds * a.scale() * query;
                        for (dv, a.d_o[offset..]) |*out, gradient| out.* += weights.p * gradient;
                    };
                }
            }
        }

        /// p_ij and ds_ij of one query and key.
        fn pair(a: *const Arguments, b: usize, h: usize, g: usize, i: usize, j: usize) struct { p: Float, ds: Float } {
            const query = a.queryOffset(b, i, h);
            const key = a.keyOffset(b, j, g);
            const row = (b * a.heads + h) * a.tokens + i;
            const score = dot(a.q[query..][0..a.head_dim], a.k[key..][0..a.head_dim]) * a.scale();
            const p = @exp(score - a.log_sum_exp[row]);
            const dp = dot(a.d_o[query..][0..a.head_dim], a.v[key..][0..a.head_dim]);
            return .{ .p = p, .ds = p * (dp - a.deltas[row]) };
        }

        fn dot(x: []const Float, y: []const Float) Float {
            var sum: Float = 0;
            for (x, y) |left, right| sum += left * right;
            return sum;
        }
    };
}
