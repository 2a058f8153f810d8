//! Writes the keys and values of new tokens into the cache of one layer, as f32 or rounded to f16 (to nearest, ties to
//! even; past f16's range to infinity).
//!
//! Unit of work: one key-value head of one token; unit u is token u / heads, head u % heads.
const std = @import("std");
const format = @import("../format.zig");

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
    /// f32 or f16.
    element: format.Element,
    /// [heads][capacity][D] of `element`, aligned to 64.
    key_cache: [*]align(64) u8,
    /// [heads][capacity][D] of `element`, aligned to 64.
    value_cache: [*]align(64) u8,
};

const testing = @import("testing.zig");
const scalar = @import("key_value_store/scalar.zig");
const avx2 = if (testing.has_avx2) @import("key_value_store/avx2.zig") else scalar;

/// The caches as they must be: every cell that is not written keeps its bytes.
fn expectStored(comptime element: format.Element, a: Arguments, tokens: usize, keys: anytype, values: anytype) !void {
    const size = comptime element.bytes();
    var written: usize = 0;
    for (0..a.heads) |head| for (0..a.capacity) |position| for (0..a.head_dim) |j| {
        const cell = ((head * a.capacity + position) * a.head_dim + j) * size;
        const is_new = position >= a.start and position < a.start + tokens;
        inline for (.{ .{ keys, a.keys }, .{ values, a.values } }) |pair| {
            const bytes = pair[0].items[cell..][0..size];
            if (is_new) {
                const value = pair[1][((position - a.start) * a.heads + head) * a.head_dim + j];
                errdefer std.debug.print("head {d}, position {d}, value {x}\n", .{ head, position, value });
                const expected = if (element == .f32) value else roundedToHalf(value);
                try testing.expectSame(@TypeOf(expected), &.{expected}, &.{@as(@TypeOf(expected), @bitCast(bytes.*))});
                written += 1;
            } else {
                try std.testing.expect(std.mem.allEqual(u8, bytes, 0xa5));
            }
        }
    };
    try std.testing.expectEqual(2 * tokens * a.heads * a.head_dim, written);
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
    inline for (.{ .f32, .f16 }) |element| {
        for (head_dims) |head_dim| for ([_]usize{ 1, 2, 8 }) |heads| for ([_]usize{ 1, 5 }) |tokens| {
            errdefer std.debug.print("{any} D {d} heads {d} B {d}\n", .{ element, head_dim, heads, tokens });
            const capacity = 11;
            const cells = heads * capacity * head_dim;
            const new_keys = try testing.Guarded(f32).init(tokens * heads * head_dim);
            defer new_keys.deinit();
            const new_values = try testing.Guarded(f32).init(tokens * heads * head_dim);
            defer new_values.deinit();
            testing.fillFloats(random, new_keys.items);
            testing.fillFloats(random, new_values.items);
            for (new_keys.items, 0..) |*key, i| {
                if (random.boolean()) key.* = corners[i % corners.len];
            }
            inline for (.{ scalar, avx2 }) |variant| {
                const keys = try testing.Guarded(u8).init(cells * format.Element.bytes(element));
                defer keys.deinit();
                const values = try testing.Guarded(u8).init(cells * format.Element.bytes(element));
                defer values.deinit();
                const arguments = Arguments{
                    .keys = new_keys.items.ptr,
                    .values = new_values.items.ptr,
                    .heads = heads,
                    .head_dim = head_dim,
                    .start = random.uintAtMost(usize, capacity - tokens),
                    .capacity = capacity,
                    .element = element,
                    .key_cache = keys.items.ptr,
                    .value_cache = values.items.ptr,
                };
                testing.runCut(random, &variant.run, &arguments, tokens * heads);
                try expectStored(element, arguments, tokens, keys, values);
                try keys.expectGuards();
                try values.expectGuards();
            }
        };
    }
}
