//! Distillation from a teacher (Hinton et al. 2015): loss = T^2 KL(p || q) in nats, p = softmax(teacher / T),
//! q = softmax(student / T), T the temperature; its gradient to the student's logits is T (q - p). T^2 keeps the
//! gradient's size when the temperature changes.
//!
//! Unit of work: one token.

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, V]
        logits: [*]const Float,
        teacher_logits: [*]const Float,
        vocabulary: usize,
        weight: Float,
        temperature: Float,
        /// [N], replaced; the weight is not in them.
        losses: [*]Float,
        /// [N, V] += weight T (q - p). Not the logits.
        dlogits: [*]Float,
    };
}

const std = @import("std");
const testing = @import("testing.zig");

test "the gradient of distillation, added; no loss where the student is the teacher" {
    const Scalar = @import("distillation/scalar.zig").Scalar(f64);
    const tokens = 3;
    const vocabulary = 17;
    const count = tokens * vocabulary;
    var source = std.Random.DefaultPrng.init(0xd15);
    const random = source.random();
    const logits = try testing.normals(f64, random, count);
    defer testing.allocator.free(logits);
    const teacher = try testing.normals(f64, random, count);
    defer testing.allocator.free(teacher);
    @memcpy(teacher[vocabulary..][0..vocabulary], logits[vocabulary..][0..vocabulary]);
    const gradient = try testing.zeros(f64, count);
    defer testing.allocator.free(gradient);
    const ignored_gradient = try testing.zeros(f64, count);
    defer testing.allocator.free(ignored_gradient);
    var losses: [tokens]f64 = undefined;
    const weight = 0.75;
    var values = Arguments(f64){
        .logits = logits.ptr,
        .teacher_logits = teacher.ptr,
        .vocabulary = vocabulary,
        .weight = weight,
        .temperature = 2.5,
        .losses = &losses,
        .dlogits = gradient.ptr,
    };
    @memset(gradient, 1);
    testing.run(&Scalar.run, &values, tokens);
    for (gradient) |*value| value.* -= 1;
    try std.testing.expect(losses[0] > 0);
    try std.testing.expectApproxEqAbs(0, losses[1], 1e-14);
    values.dlogits = ignored_gradient.ptr;
    const Layer = struct {
        values: *const Arguments(f64),
        losses: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.run, self.values, tokens);
            return testing.dot(&@as([tokens]f64, @splat(weight)), self.losses);
        }
    };
    const layer = Layer{ .values = &values, .losses = &losses };
    try testing.expectGradient(logits, gradient, &layer, Layer.loss);
}
