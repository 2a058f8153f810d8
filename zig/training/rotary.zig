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

const std = @import("std");
const testing = @import("testing.zig");

test "rotary turns each position by its angle, and its backward is its gradient" {
    const Scalar = @import("rotary/scalar.zig").Scalar(f64);
    const sequence_tokens = 3;
    const tokens = 2 * sequence_tokens;
    const heads = 2;
    const head_dim = 6;
    var source = std.Random.DefaultPrng.init(0x207);
    const random = source.random();
    const count = tokens * heads * head_dim;
    const x = try testing.normals(f64, random, count);
    defer testing.allocator.free(x);
    const turned = try testing.zeros(f64, count);
    defer testing.allocator.free(turned);
    const dy = try testing.normals(f64, random, count);
    defer testing.allocator.free(dy);
    var table: [sequence_tokens * head_dim]f64 = undefined;
    for (0..sequence_tokens) |t| for (0..head_dim / 2) |i| {
        const angle = @as(f64, @floatFromInt(t)) * std.math.pow(f64, 0.1, @floatFromInt(i));
        table[t * head_dim + i] = @cos(angle);
        table[t * head_dim + head_dim / 2 + i] = @sin(angle);
    };
    const Layer = struct {
        x: []const f64,
        turned: []f64,
        dy: []const f64,
        values: *const Arguments(f64),

        fn loss(self: *const @This()) f64 {
            @memcpy(self.turned, self.x);
            testing.run(&Scalar.run, self.values, tokens);
            return testing.dot(self.dy, self.turned);
        }
    };
    const values = Arguments(f64){
        .x = turned.ptr,
        .table = &table,
        .sequence_tokens = sequence_tokens,
        .heads = heads,
        .head_dim = head_dim,
        .direction = 1,
    };
    const layer = Layer{ .x = x, .turned = turned, .dy = dy, .values = &values };
    _ = layer.loss();
    // Token 5 is at position 2; head 1, pair 1: the complex number times e^(2 * 0.1 i).
    const at = (5 * heads + 1) * head_dim + 1;
    try std.testing.expectApproxEqAbs(x[at] * @cos(0.2) - x[at + 3] * @sin(0.2), turned[at], 1e-12);
    try std.testing.expectApproxEqAbs(x[at + 3] * @cos(0.2) + x[at] * @sin(0.2), turned[at + 3], 1e-12);
    const dx = try testing.allocator.dupe(f64, dy);
    defer testing.allocator.free(dx);
    var backward = values;
    backward.x = dx.ptr;
    backward.direction = -1;
    testing.run(&Scalar.run, &backward, tokens);
    try testing.expectGradient(x, dx, &layer, Layer.loss);
}
