//! The index of the largest element, the lowest such index when several are equal (the two zeros are equal);
//! `not_finite` (the largest u32) when an element is NaN or infinite, since a model that gives one has no next token to
//! choose, and for a vector of no elements.
//!
//! Unit of work: one vector of `size` elements.
const std = @import("std");

pub const not_finite = std.math.maxInt(u32);

pub const Arguments = extern struct {
    /// f32 [vectors][size]
    x: [*]const f32,
    size: usize,
    /// u32 [vectors]
    index: [*]u32,
};

const testing = @import("testing.zig");
const scalar = @import("argmax/scalar.zig");
const avx2 = if (testing.has_avx2) @import("argmax/avx2.zig") else scalar;

const sizes = [_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 };

fn expectIndex(x: []const f32, expected: u32) !void {
    inline for (.{ scalar, avx2 }) |variant| {
        // The middle one is the result, its neighbours are guards.
        var index = [3]u32{ 77, 77, 77 };
        const arguments = Arguments{ .x = x.ptr, .size = x.len, .index = index[1..] };
        variant.run(&arguments, 0, 1);
        errdefer std.debug.print("size {d}, x {any}\n", .{ x.len, x });
        try std.testing.expectEqual([3]u32{ 77, expected, 77 }, index);
    }
}

test "argmax: the largest at every place, alone and with equals after it" {
    var source = std.Random.DefaultPrng.init(0xa43a);
    const random = source.random();
    for (sizes) |size| for (0..size) |place| {
        const x = try testing.Guarded(f32).init(size);
        defer x.deinit();
        testing.fillFloats(random, x.items);
        x.items[place] = 1e6;
        try expectIndex(x.items, @intCast(place));
        for (x.items[place + 1 ..]) |*later| {
            if (random.boolean()) later.* = 1e6;
        }
        try expectIndex(x.items, @intCast(place));
    };
}

test "argmax: NaN and infinities at every place, lowest numbers, zeros of both signs" {
    for (sizes) |size| {
        const x = try testing.Guarded(f32).init(size);
        defer x.deinit();
        for (0..size) |place| for ([_]f32{ std.math.nan(f32), std.math.inf(f32), -std.math.inf(f32) }) |value| {
            @memset(x.items, 1);
            x.items[place] = value;
            try expectIndex(x.items, not_finite);
        };
        @memset(x.items, -std.math.floatMax(f32));
        try expectIndex(x.items, 0);
        @memset(x.items, 0);
        x.items[0] = -0.0;
        try expectIndex(x.items, 0);
    }
    try expectIndex(&.{}, not_finite);
}

test "argmax: several vectors, ranges cut anywhere" {
    var source = std.Random.DefaultPrng.init(0xa44a);
    const random = source.random();
    for (sizes) |size| {
        const vectors = 9;
        const x = try testing.Guarded(f32).init(vectors * size);
        defer x.deinit();
        testing.fillFloats(random, x.items);
        x.items[size * 4] = std.math.nan(f32);
        inline for (.{ scalar, avx2 }) |variant| {
            const index = try testing.Guarded(u32).init(vectors);
            defer index.deinit();
            const arguments = Arguments{ .x = x.items.ptr, .size = size, .index = index.items.ptr };
            testing.runCut(random, &variant.run, &arguments, vectors);
            for (index.items, 0..) |at, vector| {
                errdefer std.debug.print("size {d}, vector {d}\n", .{ size, vector });
                const values = x.items[vector * size ..][0..size];
                const expected = if (vector == 4) not_finite else std.mem.findMax(f32, values);
                try std.testing.expectEqual(expected, at);
            }
            try index.expectGuards();
        }
    }
}
