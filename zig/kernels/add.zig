//! The residual stream: x += y.
//!
//! Unit of work: one element.
const std = @import("std");

pub const Arguments = extern struct {
    x: [*]f32,
    y: [*]const f32,
};

const testing = @import("testing.zig");
const scalar = @import("add/scalar.zig");
const avx2 = if (testing.has_avx2) @import("add/avx2.zig") else scalar;

test "add: scalar is the rounded sum; every variant gives its bits, whatever the ranges" {
    var source = std.Random.DefaultPrng.init(0xadd);
    const random = source.random();
    for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 }) |size| {
        errdefer std.debug.print("size {d}\n", .{size});
        const expected = try testing.Guarded(f32).init(size);
        defer expected.deinit();
        const actual = try testing.Guarded(f32).init(size);
        defer actual.deinit();
        const y = try testing.Guarded(f32).init(size);
        defer y.deinit();
        testing.fillFloats(random, actual.items);
        testing.fillFloats(random, y.items);
        for (expected.items, actual.items, y.items) |*sum, a, b| sum.* = @floatCast(@as(f64, a) + b);
        const before = try std.testing.allocator.dupe(f32, actual.items);
        defer std.testing.allocator.free(before);

        inline for (.{ scalar, avx2 }) |variant| {
            @memcpy(actual.items, before);
            const arguments = Arguments{ .x = actual.items.ptr, .y = y.items.ptr };
            testing.runCut(random, &variant.run, &arguments, size);
            try testing.expectSame(f32, expected.items, actual.items);
            try actual.expectGuards();
        }
    }
}
