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
//! Units of work: blocks of `block_tokens` queries of a head of a sequence, (b H + h) blocks + block, for `forward` and
//! `backwardQuery`; blocks of `block_tokens` keys, (b G + g) blocks + block, for `backwardKeyValue`; rows of o,
//! (b T + t) H + h, for `delta`.
const std = @import("std");

pub const head_dim_max = 256;
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
