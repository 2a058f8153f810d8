//! AdamW, scalar.
const adamw = @import("../adamw.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const adamw.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |i| {
                const gradient = a.gradient[i] * a.gradient_scale;
                const m = a.beta1 * a.m[i] + (1 - a.beta1) * gradient;
                const v = a.beta2 * a.v[i] + (1 - a.beta2) * gradient * gradient;
                a.m[i] = m;
                a.v[i] = v;
                const change = a.correction1 * m / (@sqrt(a.correction2 * v) + a.epsilon);
                a.w[i] -= a.learning_rate * (change + a.weight_decay * a.w[i]);
            }
        }
    };
}
