//! Causal grouped-query attention over whole sequences, forward and backward, without ever holding a T x T matrix (Dao et
//! al. 2022, FlashAttention; the backward recomputes the weights from the stored logarithms of the softmax's sums).
//!
//! With s_ij = q_i k_j / sqrt(D) for j <= i, p_ij = e^(s_ij - l_i), o_i = sum_j p_ij v_j:
//! delta_i = do_i o_i; ds_ij = p_ij (do_i v_j - delta_i); dq_i = sum_j ds_ij k_j / sqrt(D);
//! dk_j = sum_i ds_ij q_i / sqrt(D); dv_j = sum_i p_ij do_i, the sums over i over all query heads of a key-value head.
//!
//! Legend: B sequences, T tokens of each, H query heads, G key-value heads, D head_dim. Query head h reads key-value head
//! h / (H / G).
//!
//! Units of work: blocks of `block_tokens` queries of a head of a sequence, (b H + h) blocks + block, for `forward`.
//! Backward, scalar: rows of o, (b T + t) H + h, for `delta`; blocks of queries for `backwardQuery`; blocks of keys,
//! (b G + g) blocks + block, for `backwardKeyValue`. AVX2: b G + g, a key-value head of a sequence with all its queries,
//! for `backward`, which computes no score twice.
const std = @import("std");

pub const head_dim_max = 256;
/// What head_dim is a multiple of where the vector kernels run.
pub const head_dim_step = 8;
/// Queries, and keys, of a tile.
pub const block_tokens = 64;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [B, T, H, D]
        q: [*]const Float,
        /// [B, T, G, D]
        k: [*]const Float,
        v: [*]const Float,
        /// [B, T, H, D]; written by `forward`, read by the backward's functions.
        o: [*]Float,
        /// [B, H, T], l above; likewise.
        log_sum_exp: [*]Float,
        sequences: usize,
        tokens: usize,
        heads: usize,
        key_value_heads: usize,
        head_dim: usize,
        /// [B, T, H, D]
        d_o: [*]const Float = undefined,
        /// [B, H, T], written by `delta`.
        deltas: [*]Float = undefined,
        /// As q, k and v; overwritten.
        dq: [*]Float = undefined,
        dk: [*]Float = undefined,
        dv: [*]Float = undefined,

        const Self = @This();

        pub fn blocks(self: *const Self) usize {
            return (self.tokens + block_tokens - 1) / block_tokens;
        }

        pub fn scale(self: *const Self) Float {
            return 1 / @sqrt(@as(Float, @floatFromInt(self.head_dim)));
        }

        /// Where token t of sequence b begins for query head h.
        pub fn queryOffset(self: *const Self, b: usize, t: usize, h: usize) usize {
            return ((b * self.tokens + t) * self.heads + h) * self.head_dim;
        }

        pub fn keyOffset(self: *const Self, b: usize, t: usize, g: usize) usize {
            return ((b * self.tokens + t) * self.key_value_heads + g) * self.head_dim;
        }
    };
}

const testing = @import("testing.zig");

test "attention is softmax over the past, and its backward is its gradient" {
    const Scalar = @import("attention/scalar.zig").Scalar(f64);
    // Past one block of tokens only in the first case, where the difference is taken at some places.
    for ([_][5]usize{ .{ 2, 9, 4, 2, 8 }, .{ 1, 66, 2, 1, 2 }, .{ 2, 5, 1, 1, 6 } }) |sizes| {
        const sequences, const tokens, const heads, const key_value_heads, const head_dim = sizes;
        var source = std.Random.DefaultPrng.init(0xa77);
        const random = source.random();
        const queries = sequences * tokens * heads * head_dim;
        const keys = sequences * tokens * key_value_heads * head_dim;
        const rows = sequences * tokens * heads;
        var buffers: [10][]f64 = undefined;
        for (&buffers, [_]usize{ queries, keys, keys, queries, queries, queries, keys, keys, rows, rows }) |*buffer, count| {
            buffer.* = try testing.normals(f64, random, count);
        }
        defer for (buffers) |buffer| testing.allocator.free(buffer);
        const q, const k, const v, const d_o, const o, const dq, const dk, const dv, const log_sum_exp, const deltas = buffers;
        const values = Arguments(f64){
            .q = q.ptr,
            .k = k.ptr,
            .v = v.ptr,
            .o = o.ptr,
            .log_sum_exp = log_sum_exp.ptr,
            .sequences = sequences,
            .tokens = tokens,
            .heads = heads,
            .key_value_heads = key_value_heads,
            .head_dim = head_dim,
            .d_o = d_o.ptr,
            .deltas = deltas.ptr,
            .dq = dq.ptr,
            .dk = dk.ptr,
            .dv = dv.ptr,
        };
        const Layer = struct {
            values: *const Arguments(f64),
            o: []const f64,
            d_o: []const f64,

            fn loss(self: *const @This()) f64 {
                const a = self.values;
                testing.run(&Scalar.forward, a, a.sequences * a.heads * a.blocks());
                return testing.dot(self.d_o, self.o);
            }
        };
        const layer = Layer{ .values = &values, .o = o, .d_o = d_o };
        _ = layer.loss();
        try expectDefinition(&values, random);
        testing.run(&Scalar.delta, &values, rows);
        testing.run(&Scalar.backwardQuery, &values, sequences * heads * values.blocks());
        testing.run(&Scalar.backwardKeyValue, &values, sequences * key_value_heads * values.blocks());
        try testing.expectGradient(q, dq, &layer, Layer.loss);
        try testing.expectGradient(k, dk, &layer, Layer.loss);
        try testing.expectGradient(v, dv, &layer, Layer.loss);
    }
}

/// Some outputs by the definition: weights e^s over their sum, of the tokens up to the query's own.
fn expectDefinition(a: *const Arguments(f64), random: std.Random) !void {
    for (0..20) |_| {
        const b = random.uintLessThan(usize, a.sequences);
        const i = random.uintLessThan(usize, a.tokens);
        const h = random.uintLessThan(usize, a.heads);
        const g = h * a.key_value_heads / a.heads;
        const d = random.uintLessThan(usize, a.head_dim);
        var total: f64 = 0;
        var mixed: f64 = 0;
        for (0..i + 1) |j| {
            var score: f64 = 0;
            for (0..a.head_dim) |c| score += a.q[a.queryOffset(b, i, h) + c] * a.k[a.keyOffset(b, j, g) + c];
            const weight = @exp(score / @sqrt(@as(f64, @floatFromInt(a.head_dim))));
            total += weight;
            mixed += weight * a.v[a.keyOffset(b, j, g) + d];
        }
        try std.testing.expectApproxEqAbs(mixed / total, a.o[a.queryOffset(b, i, h) + d], 1e-12);
        try std.testing.expectApproxEqAbs(@log(total), a.log_sum_exp[(b * a.heads + h) * a.tokens + i], 1e-12);
    }
}

test "avx2 forward and backward agree with scalar at odd sizes" {
    if (!@import("../kernels/testing.zig").has_avx2) return error.SkipZigTest;
    const Scalar = @import("attention/scalar.zig").Scalar(f32);
    const avx2 = @import("attention/avx2.zig");
    for ([_][5]usize{ .{ 1, 1, 1, 1, 8 }, .{ 2, 65, 4, 2, 24 }, .{ 1, 130, 3, 1, 64 } }) |sizes| {
        const sequences, const tokens, const heads, const key_value_heads, const head_dim = sizes;
        var source = std.Random.DefaultPrng.init(0xa78);
        const random = source.random();
        const queries = sequences * tokens * heads * head_dim;
        const keys = sequences * tokens * key_value_heads * head_dim;
        const rows = sequences * tokens * heads;
        const counts = [_]usize{ queries, keys, keys, queries, queries, queries, keys, keys, rows, rows };
        var buffers: [counts.len][]f32 = undefined;
        var expected: [counts.len][]f32 = undefined;
        for (&buffers, &expected, counts) |*buffer, *copy, count| {
            buffer.* = try testing.normals(f32, random, count);
            copy.* = try testing.allocator.dupe(f32, buffer.*);
        }
        defer for (buffers ++ expected) |buffer| testing.allocator.free(buffer);
        const actual = argumentsOf(buffers, sizes);
        const reference = argumentsOf(expected, sizes);
        testing.run(&Scalar.forward, &reference, sequences * heads * reference.blocks());
        testing.run(&avx2.forward, &actual, sequences * heads * actual.blocks());
        testing.run(&Scalar.delta, &reference, rows);
        testing.run(&Scalar.backwardQuery, &reference, sequences * heads * reference.blocks());
        testing.run(&Scalar.backwardKeyValue, &reference, sequences * key_value_heads * reference.blocks());
        testing.run(&avx2.backward, &actual, sequences * key_value_heads);
        // Sums of up to 130 products of size 1 to 10, each rounded by 6e-8 of itself, in other orders.
        for (4..9) |index| try testing.expectNear(expected[index], buffers[index], 2e-5);
    }
}

fn argumentsOf(buffers: [10][]f32, sizes: [5]usize) Arguments(f32) {
    const q, const k, const v, const d_o, const o, const dq, const dk, const dv, const log_sum_exp, const deltas = buffers;
    return .{
        .q = q.ptr,
        .k = k.ptr,
        .v = v.ptr,
        .o = o.ptr,
        .log_sum_exp = log_sum_exp.ptr,
        .sequences = sizes[0],
        .tokens = sizes[1],
        .heads = sizes[2],
        .key_value_heads = sizes[3],
        .head_dim = sizes[4],
        .d_o = d_o.ptr,
        .deltas = deltas.ptr,
        .dq = dq.ptr,
        .dk = dk.ptr,
        .dv = dv.ptr,
    };
}
