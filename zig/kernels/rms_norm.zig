//! RMS norm (Zhang and Sennrich 2019; Llama): y = x / sqrt(mean(x^2) + epsilon) * weight, in f32.
//! The sum of squares runs as lanes.zig says; then r = 1 / sqrt(sum / n + epsilon) and y[i] = (x[i] * r) * weight[i].
//! y may be x.
//!
//! Unit of work: one vector of `size` elements.
const std = @import("std");

pub const Arguments = extern struct {
    /// f32 [vectors][size]
    x: [*]const f32,
    /// f32 [size]
    weight: [*]const f32,
    epsilon: f32,
    size: usize,
    /// f32 [vectors][size]
    y: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("rms_norm/scalar.zig");
const avx2 = if (testing.has_avx2) @import("rms_norm/avx2.zig") else scalar;

test "rms norm: scalar near float64, every variant its bits, in place too" {
    var source = std.Random.DefaultPrng.init(0x4e05);
    const random = source.random();
    for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 }) |size| for ([_]usize{ 1, 2, 5 }) |vectors| {
        errdefer std.debug.print("size {d}, vectors {d}\n", .{ size, vectors });
        const x = try testing.Guarded(f32).init(vectors * size);
        defer x.deinit();
        const weight = try testing.Guarded(f32).init(size);
        defer weight.deinit();
        const expected = try testing.Guarded(f32).init(vectors * size);
        defer expected.deinit();
        const actual = try testing.Guarded(f32).init(vectors * size);
        defer actual.deinit();
        testing.fillFloats(random, x.items);
        testing.fillFloats(random, weight.items);
        @memset(x.items[0..size], 0);

        var arguments = Arguments{
            .x = x.items.ptr,
            .weight = weight.items.ptr,
            .epsilon = 1e-5,
            .size = size,
            .y = expected.items.ptr,
        };
        testing.runCut(random, &scalar.run, &arguments, vectors);
        for (0..vectors) |vector| {
            const values = x.items[vector * size ..][0..size];
            var sum: f64 = 0;
            for (values) |value| sum += @as(f64, value) * value;
            const root = @sqrt(sum / @as(f64, @floatFromInt(size)) + 1e-5);
            // One rounding of 2^-24 for each addition in a lane, and eight more for everything after.
            const relative = @as(f64, @floatFromInt(size / 8 + 8)) * 0x1p-24;
            for (values, weight.items, expected.items[vector * size ..][0..size]) |value, factor, result| {
                const exact = value / root * factor;
                try testing.expectNear(exact, result, relative * @abs(exact));
            }
        }
        arguments.y = actual.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, vectors);
        try testing.expectSame(f32, expected.items, actual.items);
        try actual.expectGuards();
        arguments.y = x.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, vectors);
        try testing.expectSame(f32, expected.items, x.items);
        try x.expectGuards();
    };
}
