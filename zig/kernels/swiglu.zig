//! SwiGLU's gate (Shazeer 2020): out = silu(gate) * up with silu(x) = x / (1 + exponential(-x)), the exponential of
//! lanes.zig.
//! out may be gate or up.
//!
//! Unit of work: one element.
const std = @import("std");

pub const Arguments = extern struct {
    gate: [*]const f32,
    up: [*]const f32,
    out: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("swiglu/scalar.zig");
const avx2 = if (testing.has_avx2) @import("swiglu/avx2.zig") else scalar;

test "swiglu: scalar near float64, every variant its bits, in place too" {
    var source = std.Random.DefaultPrng.init(0x5319);
    const random = source.random();
    for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 }) |size| {
        errdefer std.debug.print("size {d}\n", .{size});
        const gate = try testing.Guarded(f32).init(size);
        defer gate.deinit();
        const up = try testing.Guarded(f32).init(size);
        defer up.deinit();
        const expected = try testing.Guarded(f32).init(size);
        defer expected.deinit();
        const actual = try testing.Guarded(f32).init(size);
        defer actual.deinit();
        testing.fillFloats(random, gate.items);
        testing.fillFloats(random, up.items);

        var arguments = Arguments{ .gate = gate.items.ptr, .up = up.items.ptr, .out = expected.items.ptr };
        testing.runCut(random, &scalar.run, &arguments, size);
        for (gate.items, up.items, expected.items) |x, factor, result| {
            errdefer std.debug.print("gate {x}, up {x}\n", .{ x, factor });
            const exact = @as(f64, x) / (1 + @exp(-@as(f64, x))) * factor;
            // exponential's 1.5e-7 and three roundings of 6e-8; below that, where e^-x overflows, the result is 0.
            try testing.expectNear(exact, result, 5e-7 * @abs(exact) + 1e-36 * @max(1, @abs(factor)));
        }
        arguments.out = actual.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, size);
        try testing.expectSame(f32, expected.items, actual.items);
        try actual.expectGuards();
        arguments.out = up.items.ptr;
        @memcpy(actual.items, gate.items);
        arguments.gate = actual.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, size);
        try testing.expectSame(f32, expected.items, up.items);
    }
}

test "swiglu: gates past the range of the exponential" {
    const gate = [_]f32{ 200, -200, 88.8, -88.8, 0, -0.0, std.math.inf(f32), std.math.nan(f32), 1e30 };
    const up: [gate.len]f32 = @splat(2);
    inline for (.{ scalar, avx2 }) |variant| {
        var out: [gate.len]f32 = undefined;
        const arguments = Arguments{ .gate = &gate, .up = &up, .out = &out };
        variant.run(&arguments, 0, gate.len);
        try testing.expectSame(f32, &.{ 400, -0.0, 177.6 }, out[0..3]);
        try testing.expectSame(f32, &.{ 0, -0.0, std.math.inf(f32), std.math.nan(f32), 2e30 }, out[4..]);
    }
}
