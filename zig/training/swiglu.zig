//! SwiGLU's gate (Shazeer 2020): h = silu(gate) up, silu(x) = x s, s = 1 / (1 + e^-x).
//! Backward: dup = dh silu(gate), dgate = dh up s (1 + gate (1 - s)).
//!
//! Unit of work: one element. The outputs may be the inputs they replace: h gate or up; dgate gate, dup up.

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        gate: [*]const Float,
        up: [*]const Float,
        h: [*]Float = undefined,
        dh: [*]const Float = undefined,
        dgate: [*]Float = undefined,
        dup: [*]Float = undefined,
    };
}

const std = @import("std");
const testing = @import("testing.zig");

test "the gradients of SwiGLU, written over gate and up" {
    const Scalar = @import("swiglu/scalar.zig").Scalar(f64);
    const count = 50;
    var source = std.Random.DefaultPrng.init(0x516);
    const random = source.random();
    var buffers: [6][]f64 = undefined;
    for (&buffers) |*buffer| buffer.* = try testing.normals(f64, random, count);
    defer for (buffers) |buffer| testing.allocator.free(buffer);
    const gate, const up, const h, const dh, const dgate, const dup = buffers;
    const values = Arguments(f64){ .gate = gate.ptr, .up = up.ptr, .h = h.ptr };
    const Layer = struct {
        values: *const Arguments(f64),
        h: []const f64,
        dh: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.forward, self.values, count);
            return testing.dot(self.dh, self.h);
        }
    };
    const layer = Layer{ .values = &values, .h = h, .dh = dh };
    @memcpy(dgate, gate);
    @memcpy(dup, up);
    testing.run(&Scalar.backward, &Arguments(f64){
        .gate = dgate.ptr,
        .up = dup.ptr,
        .dh = dh.ptr,
        .dgate = dgate.ptr,
        .dup = dup.ptr,
    }, count);
    try testing.expectGradient(gate, dgate, &layer, Layer.loss);
    try testing.expectGradient(up, dup, &layer, Layer.loss);
}
