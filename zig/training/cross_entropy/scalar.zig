//! Softmax cross-entropy, scalar.
const std = @import("std");
const cross_entropy = @import("../cross_entropy.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const cross_entropy.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |token| {
                const logits = a.logits[token * a.vocabulary ..][0..a.vocabulary];
                const dlogits = a.dlogits[token * a.vocabulary ..][0..a.vocabulary];
                const target = a.targets[token];
                if (target == cross_entropy.ignored) {
                    a.losses[token] = 0;
                    @memset(dlogits, 0);
                    continue;
                }
                const at_target = logits[target];
                var maximum: Float = -std.math.inf(Float);
                for (logits) |logit| maximum = @max(maximum, logit);
                var total: Float = 0;
                for (logits, dlogits) |logit, *power| {
                    power.* = @exp(logit - maximum);
                    total += power.*;
                }
                a.losses[token] = @log(total) + maximum - at_target;
                const factor = a.scale / total;
                for (dlogits) |*power| power.* *= factor;
                dlogits[target] -= a.scale;
            }
        }
    };
}
