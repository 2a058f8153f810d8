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

test "AdamW: two steps by hand" {
    const Scalar = @import("adamw/scalar.zig").Scalar(f64);
    var w = [_]f64{ 1, -2 };
    var m = [_]f64{ 0, 0 };
    var v = [_]f64{ 0, 0 };
    for (1..3) |step| {
        const gradient = [_]f64{ 8, 0 };
        Scalar.run(&Arguments(f64){
            .w = &w,
            .gradient = &gradient,
            .m = &m,
            .v = &v,
            .learning_rate = 0.1,
            .beta1 = 0.5,
            .beta2 = 0.75,
            .epsilon = 1,
            .weight_decay = 0.5,
            .gradient_scale = 0.25,
            .correction1 = correction(0.5, step),
            .correction2 = correction(0.75, step),
        }, 0, 2);
    }
    // The scaled gradient is 2, so both corrected moments are exactly 2 and 4: each step is 0.1 (2 / 3 + w / 2).
    const first = 1.0 - 0.1 * (2.0 / 3.0 + 0.5);
    try std.testing.expectApproxEqAbs(first - 0.1 * (2.0 / 3.0 + first / 2.0), w[0], 1e-14);
    try std.testing.expectApproxEqAbs(-2 * 0.95 * 0.95, w[1], 1e-14);
    try std.testing.expectApproxEqAbs(1.5, m[0], 1e-14);
    try std.testing.expectApproxEqAbs(4 * (1 - 0.5625), v[0], 1e-14);
}
