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

const std = @import("std");
const testing = @import("testing.zig");

test "the gradients of RMS norm, added to what was there" {
    const Scalar = @import("rms_norm/scalar.zig").Scalar(f64);
    const tokens = 4;
    const width = 45;
    var source = std.Random.DefaultPrng.init(0x275);
    const random = source.random();
    var buffers: [7][]f64 = undefined;
    for (&buffers, [_]usize{ tokens * width, width, tokens * width, tokens * width, tokens * width, width, tokens }) |*buffer, count| {
        buffer.* = try testing.normals(f64, random, count);
    }
    defer for (buffers) |buffer| testing.allocator.free(buffer);
    const x, const gain, const dy, const y, const dx, const dgain, const inverse_rms = buffers;
    @memset(dx, 3);
    @memset(dgain, -2);
    const values = Arguments(f64){
        .x = x.ptr,
        .gain = gain.ptr,
        .inverse_rms = inverse_rms.ptr,
        .tokens = tokens,
        .width = width,
        .epsilon = 0.1,
        .y = y.ptr,
        .dy = dy.ptr,
        .dx = dx.ptr,
        .dgain = dgain.ptr,
    };
    const Layer = struct {
        values: *const Arguments(f64),
        y: []const f64,
        dy: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.forward, self.values, tokens);
            return testing.dot(self.dy, self.y);
        }
    };
    const layer = Layer{ .values = &values, .y = y, .dy = dy };
    _ = layer.loss();
    testing.run(&Scalar.backwardInput, &values, tokens);
    testing.run(&Scalar.backwardGain, &values, (width + gain_columns - 1) / gain_columns);
    for (dx) |*value| value.* -= 3;
    for (dgain) |*value| value.* += 2;
    try testing.expectGradient(x, dx, &layer, Layer.loss);
    try testing.expectGradient(gain, dgain, &layer, Layer.loss);
}
