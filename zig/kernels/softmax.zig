//! out = softmax(x): exponential(x - max) over its sum (lanes.zig's order), each then multiplied by 1 / sum.
//! out may be x. The caller has checked that x is finite.
//!
//! Unit of work: one vector of `size` elements.
const std = @import("std");

pub const Arguments = extern struct {
    /// f32 [vectors][size]
    x: [*]const f32,
    size: usize,
    /// f32 [vectors][size]
    out: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("softmax/scalar.zig");
const avx2 = if (testing.has_avx2) @import("softmax/avx2.zig") else scalar;

test "softmax: scalar near float64 with sum 1, every variant its bits, in place too" {
    var source = std.Random.DefaultPrng.init(0x50f7);
    const random = source.random();
    for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257, 5000 }) |size| for ([_]usize{ 1, 3 }) |vectors| {
        errdefer std.debug.print("size {d}, vectors {d}\n", .{ size, vectors });
        const x = try testing.Guarded(f32).init(vectors * size);
        defer x.deinit();
        const expected = try testing.Guarded(f32).init(vectors * size);
        defer expected.deinit();
        const actual = try testing.Guarded(f32).init(vectors * size);
        defer actual.deinit();
        testing.fillFloats(random, x.items);

        var arguments = Arguments{ .x = x.items.ptr, .size = size, .out = expected.items.ptr };
        testing.runCut(random, &scalar.run, &arguments, vectors);
        for (0..vectors) |vector| {
            const at = vector * size;
            try expectSoftmax(x.items[at..][0..size], expected.items[at..][0..size]);
        }

        arguments.out = actual.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, vectors);
        try testing.expectSame(f32, expected.items, actual.items);
        try actual.expectGuards();
        arguments.out = x.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, vectors);
        try testing.expectSame(f32, expected.items, x.items);
        try x.expectGuards();
    };
}

fn expectSoftmax(x: []const f32, out: []const f32) !void {
    const maximum: f64 = std.mem.max(f32, x);
    const spread = maximum - std.mem.min(f32, x);
    var sum: f64 = 0;
    for (x) |value| sum += @exp(value - maximum);
    // x - max rounds by up to spread / 2^24, which e^x turns into a relative error; the sum has one rounding for each
    // addition in a lane; exponential's bound twice and a few roundings. Powers below f32's normal range are 0.
    const relative = spread * 0x1p-23 + @as(f64, @floatFromInt(x.len / 8)) * 0x1p-24 + 1e-6;
    var total: f64 = 0;
    for (x, out) |value, result| {
        const exact = @exp(value - maximum) / sum;
        try testing.expectNear(exact, result, relative * exact + 2e-38);
        total += result;
    }
    try std.testing.expectApproxEqAbs(1, total, relative);
}

test "softmax: the largest numbers, and one far above the rest" {
    const x = [_]f32{ 3e38, -3e38, 3e38, 0, 0, 0, 0, 0, 0, 3e38 };
    inline for (.{ scalar, avx2 }) |variant| {
        var out: [x.len]f32 = undefined;
        const arguments = Arguments{ .x = &x, .size = x.len, .out = &out };
        variant.run(&arguments, 0, 1);
        const third = 1.0 / 3.0;
        try testing.expectSame(f32, &.{ third, 0, third, 0, 0, 0, 0, 0, 0, third }, &out);
    }
}
