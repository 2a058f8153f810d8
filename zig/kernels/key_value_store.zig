//! Writes the keys and values of new tokens into the cache of one layer, as f32, rounded to f16 (to nearest, ties to even;
//! past f16's range to infinity), or as int8 with a scale for each head of each token: as prepare.zig makes them of a
//! block, scale = max|x| / 127 and value = x * (127 / max|x|) rounded, ties to even; a head with an infinity or a NaN gets
//! scale NaN, which attention hands on.
//!
//! Unit of work: one key-value head of one token; unit u is token u / heads, head u % heads.
const std = @import("std");
const cells = @import("cache_cells.zig");

pub const Arguments = extern struct {
    /// f32 [B][heads][D], heads being key-value heads.
    keys: [*]const f32,
    /// f32 [B][heads][D]
    values: [*]const f32,
    heads: usize,
    head_dim: usize,
    /// Position of the first new token.
    start: usize,
    /// Positions that the cache has room for; start + B <= capacity.
    capacity: usize,
    cell: cells.Cell,
    /// cache_cells.Layout of `cell`, heads, capacity and D; aligned to 64.
    key_cache: [*]align(64) u8,
    value_cache: [*]align(64) u8,

    /// The scales f32 [heads][capacity] of a q8 cache.
    pub fn scalesOf(self: *const Arguments, cache: [*]align(64) u8) [*]f32 {
        const layout = cells.Layout.init(.q8, self.heads, self.capacity, self.head_dim).?;
        return @ptrCast(@alignCast(cache + layout.scales_offset));
    }
};

/// The scale of a head of numbers; its values are not zero only when it is above zero.
pub const scaleOf = @import("prepare.zig").blockScale;
/// Adding it to |x| < 2^22 leaves no bit for a fraction, so the sum is rounded to an integer, halves to even.
pub const rounder: f32 = 3 << 22;

const testing = @import("testing.zig");
const scalar = @import("key_value_store/scalar.zig");
const avx2 = if (testing.has_avx2) @import("key_value_store/avx2.zig") else scalar;

/// The caches as they must be: every byte that is not written keeps its value.
fn expectStored(comptime cell: cells.Cell, a: Arguments, tokens: usize, keys: anytype, values: anytype) !void {
    const size = comptime cell.bytes();
    const layout = cells.Layout.init(cell, a.heads, a.capacity, a.head_dim).?;
    var written: usize = 0;
    inline for (.{ .{ keys, a.keys }, .{ values, a.values } }) |pair| {
        for (0..a.heads) |head| for (0..a.capacity) |position| {
            const vector = head * a.capacity + position;
            const bytes = pair[0].items[vector * a.head_dim * size ..][0 .. a.head_dim * size];
            const is_new = position >= a.start and position < a.start + tokens;
            if (is_new) {
                errdefer std.debug.print("head {d}, position {d}\n", .{ head, position });
                const x = pair[1][((position - a.start) * a.heads + head) * a.head_dim ..][0..a.head_dim];
                const scale = if (cell == .q8) std.mem.bytesToValue(f32, pair[0].items[layout.scales_offset + vector * 4 ..][0..4]) else 1;
                try expectVector(cell, x, bytes, scale);
                written += 1;
            } else {
                try std.testing.expect(std.mem.allEqual(u8, bytes, 0xa5));
                if (cell == .q8) try std.testing.expect(std.mem.allEqual(u8, pair[0].items[layout.scales_offset + vector * 4 ..][0..4], 0xa5));
            }
        };
        const padding = pair[0].items[a.heads * a.capacity * a.head_dim * size .. layout.scales_offset];
        try std.testing.expect(std.mem.allEqual(u8, padding, 0xa5));
    }
    try std.testing.expectEqual(2 * tokens * a.heads, written);
}

/// One head of one token, against rounding by other means.
fn expectVector(comptime cell: cells.Cell, x: []const f32, bytes: []const u8, scale: f32) !void {
    switch (cell) {
        .f32 => try testing.expectSame(f32, x, @alignCast(std.mem.bytesAsSlice(f32, bytes))),
        .f16 => for (x, std.mem.bytesAsSlice(f16, bytes)) |value, half| {
            errdefer std.debug.print("value {x}\n", .{value});
            try testing.expectSame(f16, &.{roundedToHalf(value)}, &.{half});
        },
        .q8 => {
            var largest: f64 = 0;
            var is_finite = true;
            for (x) |value| {
                largest = @max(largest, @abs(value));
                if (!std.math.isFinite(value)) is_finite = false;
            }
            const has_codes = is_finite and largest >= 0x1p-119;
            if (is_finite) {
                try testing.expectNear(if (has_codes) largest / 127 else 0, scale, largest * 0x1p-30);
            } else {
                try std.testing.expect(std.math.isNan(scale));
            }
            for (x, std.mem.bytesAsSlice(i8, bytes)) |value, code| {
                errdefer std.debug.print("value {x} of {x}, code {d}\n", .{ value, largest, code });
                const exact = if (has_codes) @as(f64, value) * 127 / largest else 0;
                // Two roundings may carry what lies between two integers to the farther one.
                try std.testing.expect(@abs(exact - @as(f64, @floatFromInt(code))) <= 0.5 + 127 * 0x1p-23);
            }
        },
    }
}

/// To the nearest of f16's numbers, ties to even, by integer arithmetic: the value in units of the last place.
fn roundedToHalf(value: f32) f16 {
    if (!std.math.isFinite(value)) return @floatCast(value);
    const exponent = @max(-14, std.math.ilogb(@as(f64, value)));
    const units = @abs(@as(f64, value)) * std.math.pow(f64, 2, @floatFromInt(10 - exponent));
    const whole = @trunc(units);
    const part = units - whole;
    const is_up = part > 0.5 or (part == 0.5 and @mod(whole, 2) == 1);
    const rounded = (if (is_up) whole + 1 else whole) * std.math.pow(f64, 2, @floatFromInt(exponent - 10));
    const half: f16 = if (rounded > 65504) std.math.inf(f16) else @floatCast(rounded);
    return std.math.copysign(half, @as(f16, if (std.math.signbit(value)) -1 else 1));
}

test "key-value store: every variant writes exactly the new cells, correctly rounded" {
    var source = std.Random.DefaultPrng.init(0x5703);
    const random = source.random();
    // Largest finite f16 and what rounds to it or past it; ties; subnormal numbers; what rounds to zero; specials.
    const corners = [_]f32{
        65504,              65519.996,         65520,          -65520,
        2049,               2051,              0x1.ffcp-15,    0x1.ffep-15,
        0x1p-24,            0x1.8p-24,         0x1.000002p-25, 0x1p-25,
        -0x1p-26,           1e-40,             -0.0,           3.4e38,
        -std.math.inf(f32), std.math.nan(f32),
    };
    const head_dims = [_]usize{ 1, 3, 8, 16, 20, 64 };
    inline for (.{ .f32, .f16, .q8 }) |cell| {
        for (head_dims) |head_dim| for ([_]usize{ 1, 2, 8 }) |heads| for ([_]usize{ 1, 5 }) |tokens| {
            errdefer std.debug.print("{any} D {d} heads {d} B {d}\n", .{ cell, head_dim, heads, tokens });
            const capacity = 11;
            const cache_bytes = cells.Layout.init(cell, heads, capacity, head_dim).?.bytes;
            const new_keys = try testing.Guarded(f32).init(tokens * heads * head_dim);
            defer new_keys.deinit();
            const new_values = try testing.Guarded(f32).init(tokens * heads * head_dim);
            defer new_values.deinit();
            testing.fillFloats(random, new_keys.items);
            testing.fillFloats(random, new_values.items);
            // Keys with corners among them, infinities too; values of all magnitudes.
            for (new_keys.items, 0..) |*key, i| {
                if (random.boolean()) key.* = corners[i % corners.len];
            }
            const start = random.uintAtMost(usize, capacity - tokens);
            for (0..tokens * heads) |head| {
                const magnitude = std.math.pow(f32, 2, @floatFromInt(random.intRangeAtMost(i32, -126, 60)));
                for (new_values.items[head * head_dim ..][0..head_dim]) |*value| value.* *= magnitude;
            }
            var reference: ?testing.Guarded(u8) = null;
            defer if (reference) |kept| kept.deinit();
            inline for (.{ scalar, avx2 }) |variant| {
                const keys = try testing.Guarded(u8).init(cache_bytes);
                const values = try testing.Guarded(u8).init(cache_bytes);
                defer values.deinit();
                const arguments = Arguments{
                    .keys = new_keys.items.ptr,
                    .values = new_values.items.ptr,
                    .heads = heads,
                    .head_dim = head_dim,
                    .start = start,
                    .capacity = capacity,
                    .cell = cell,
                    .key_cache = keys.items.ptr,
                    .value_cache = values.items.ptr,
                };
                testing.runCut(random, &variant.run, &arguments, tokens * heads);
                try expectStored(cell, arguments, tokens, keys, values);
                try keys.expectGuards();
                try values.expectGuards();
                if (reference) |kept| {
                    defer keys.deinit();
                    try testing.expectSame(u8, kept.items, keys.items);
                } else reference = keys;
            }
        };
    }
}
