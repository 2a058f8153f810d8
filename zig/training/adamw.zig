//! AdamW (Loshchilov and Hutter 2019): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, and with the bias corrections
//! c1 = 1 / (1 - b1^step), c2 = 1 / (1 - b2^step): w -= learning_rate (c1 m / (sqrt(c2 v) + epsilon) + weight_decay w).
//! The gradient is first multiplied by gradient_scale, which is how clipping by the norm reaches it.
//!
//! Unit of work: one weight. No sums, so the levels differ by fused roundings only.
const std = @import("std");

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        w: [*]Float,
        gradient: [*]const Float,
        m: [*]Float,
        v: [*]Float,
        learning_rate: Float,
        beta1: Float,
        beta2: Float,
        epsilon: Float,
        weight_decay: Float,
        gradient_scale: Float,
        /// c1 and c2 above.
        correction1: Float,
        correction2: Float,
    };
}

/// 1 / (1 - beta^step), for step >= 1.
pub fn correction(beta: f64, step: u64) f64 {
    return 1 / (1 - std.math.pow(f64, beta, @floatFromInt(step)));
}
