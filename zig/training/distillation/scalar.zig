//! Distillation, scalar.
const std = @import("std");
const distillation = @import("../distillation.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const distillation.Arguments(Float) = @ptrCast(@alignCast(raw));
            const inverse = 1 / a.temperature;
            for (begin..end) |token| {
                const student = a.logits[token * a.vocabulary ..][0..a.vocabulary];
                const teacher = a.teacher_logits[token * a.vocabulary ..][0..a.vocabulary];
                const student_log = logarithm(student, inverse);
                const teacher_log = logarithm(teacher, inverse);
                var loss: Float = 0;
                for (student, teacher, a.dlogits[token * a.vocabulary ..]) |z, teacher_z, *gradient| {
                    const log_q = z * inverse - student_log;
                    const log_p = teacher_z * inverse - teacher_log;
                    const p = @exp(log_p);
                    loss += p * (log_p - log_q);
                    gradient.* += a.weight * a.temperature * (@exp(log_q) - p);
                }
                a.losses[token] = a.temperature * a.temperature * loss;
            }
        }

        /// log(sum e^(z / T))
        fn logarithm(logits: []const Float, inverse: Float) Float {
            var maximum: Float = -std.math.inf(Float);
            for (logits) |z| maximum = @max(maximum, z * inverse);
            var total: Float = 0;
            for (logits) |z| total += @exp(z * inverse - maximum);
            return maximum + @log(total);
        }
    };
}
