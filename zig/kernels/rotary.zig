//! Rotary position embedding (Su et al. 2021) on half-split pairs (j, j + D/2), as Hugging Face's Llama has it:
//!   x'[j]       = x[j] * cos - x[j + D/2] * sin
//!   x'[j + D/2] = x[j + D/2] * cos + x[j] * sin
//! in place; every multiply, subtract and add rounds on its own.
//!
//! Unit of work: one head of one token; unit u is token u / heads, head u % heads.
const std = @import("std");

pub const Arguments = extern struct {
    /// f32 [B][heads][D]
    x: [*]f32,
    heads: usize,
    head_dim: usize,
    /// f32 [B][2][D/2]: cosines, then sines, of each token's position.
    cosines_sines: [*]const f32,
};

const testing = @import("testing.zig");
const scalar = @import("rotary/scalar.zig");
const avx2 = if (testing.has_avx2) @import("rotary/avx2.zig") else scalar;

test "rotary: scalar near float64, every variant its bits" {
    var source = std.Random.DefaultPrng.init(0x4074);
    const random = source.random();
    const head_dims = [_]usize{ 2, 6, 8, 16, 34, 64, 80, 128 };
    for (head_dims) |head_dim| for ([_]usize{ 1, 3, 8 }) |heads| for ([_]usize{ 1, 2, 9 }) |tokens| {
        errdefer std.debug.print("head_dim {d}, heads {d}, tokens {d}\n", .{ head_dim, heads, tokens });
        const units = tokens * heads;
        const x = try testing.Guarded(f32).init(units * head_dim);
        defer x.deinit();
        const table = try testing.Guarded(f32).init(tokens * head_dim);
        defer table.deinit();
        const expected = try testing.Guarded(f32).init(units * head_dim);
        defer expected.deinit();
        testing.fillFloats(random, x.items);
        for (table.items) |*value| value.* = random.float(f32) * 2 - 1;
        @memcpy(expected.items, x.items);

        var arguments = Arguments{
            .x = expected.items.ptr,
            .heads = heads,
            .head_dim = head_dim,
            .cosines_sines = table.items.ptr,
        };
        testing.runCut(random, &scalar.run, &arguments, units);
        const pairs = head_dim / 2;
        for (0..units) |unit| for (0..pairs) |j| {
            const a: f64 = x.items[unit * head_dim + j];
            const b: f64 = x.items[unit * head_dim + pairs + j];
            const cosine = table.items[unit / heads * head_dim + j];
            const sine = table.items[unit / heads * head_dim + pairs + j];
            // Three roundings of numbers no larger than |a| + |b|.
            const tolerance = 0x1.8p-23 * (@abs(a) + @abs(b));
            try testing.expectNear(a * cosine - b * sine, expected.items[unit * head_dim + j], tolerance);
            try testing.expectNear(b * cosine + a * sine, expected.items[unit * head_dim + pairs + j], tolerance);
        };
        arguments.x = x.items.ptr;
        testing.runCut(random, &avx2.run, &arguments, units);
        try testing.expectSame(f32, expected.items, x.items);
        try x.expectGuards();
    };
}
