//! Rotary position embedding (Su et al. 2021), half-split as in Hugging Face's llama: within a head, value i and value
//! i + D/2 turn by the angle of frequency i at the token's position in its sequence. Backward is the turn by the opposite
//! angle, in place on the gradient.
//!
//! Unit of work: one token.

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, heads, D], in place. N is whole sequences of `sequence_tokens`.
        x: [*]Float,
        /// [sequence_tokens][2][D/2]: the cosines, then the sines, of each position.
        table: [*]const Float,
        sequence_tokens: usize,
        heads: usize,
        head_dim: usize,
        /// 1 turns forward, -1 back.
        direction: Float,
    };
}
