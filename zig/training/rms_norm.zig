//! RMS norm (Zhang and Sennrich 2019): y = x r g with r = 1 / sqrt(mean(x^2) + epsilon), for each of N tokens of C values.
//! Backward, with s = mean(dy g x): dx += r (g dy - x r^2 s), dg += sum over tokens, in their order, of dy x r.
//!
//! Units of work: tokens for `forward` and `backwardInput`; `gain_columns` columns for `backwardGain`.

/// Columns of the gain that one unit sums up: two cache lines, so that threads share none.
pub const gain_columns = 32;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, C]
        x: [*]const Float,
        /// [C]
        gain: [*]const Float,
        /// [N], written by `forward`, read by the others.
        inverse_rms: [*]Float,
        tokens: usize,
        width: usize,
        epsilon: Float = 0,
        /// [N, C], of `forward`.
        y: [*]Float = undefined,
        /// [N, C], [N, C] and [C], of the backward pair.
        dy: [*]const Float = undefined,
        dx: [*]Float = undefined,
        dgain: [*]Float = undefined,
    };
}
