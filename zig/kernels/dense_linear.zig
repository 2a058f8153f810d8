//! Y = X W^T for dense weights, f32, f16 or bf16, with f32 activations. Weights are widened to f32 (exact), products
//! summed over K as lanes.zig says.
//!
//! Unit of work: one row, for all tokens. Each weight row is read once for several tokens.
const std = @import("std");
const format = @import("../format.zig");

pub const Arguments = extern struct {
    /// Elements [R][K], rows back to back, aligned to 64 at the start only.
    weights: [*]align(64) const u8,
    element: format.Element,
    rows: usize,
    columns: usize,
    /// f32 [B][K]
    x: [*]const f32,
    tokens: usize,
    /// f32 [B][R]
    y: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("dense_linear/scalar.zig");
const avx2 = if (testing.has_avx2) @import("dense_linear/avx2.zig") else scalar;

const elements = @import("elements.zig");

/// Against the exact product of the widened weights: each lane rounds once for every eight columns, the fold three times;
/// so the error stays below (K / 8 + 8) * 2^-24 of the sum of magnitudes.
fn expectProducts(comptime element: format.Element, a: Arguments) !void {
    const weights: [*]const elements.Stored(element) = @ptrCast(a.weights);
    for (0..a.rows) |row| for (0..a.tokens) |token| {
        var exact: f64 = 0;
        var magnitude: f64 = 0;
        for (0..a.columns) |k| {
            const weight: f64 = elements.widen(element, weights[row * a.columns + k]);
            const product = weight * a.x[token * a.columns + k];
            exact += product;
            magnitude += @abs(product);
        }
        errdefer std.debug.print("row {d}, token {d}\n", .{ row, token });
        const roundings: f64 = @floatFromInt(a.columns / 8 + 8);
        try testing.expectNear(exact, a.y[token * a.rows + row], roundings * 0x1p-24 * magnitude + 1e-40);
    };
}

fn expectSameOutputs(
    comptime element: format.Element,
    random: std.Random,
    rows: usize,
    columns: usize,
    tokens: usize,
) !void {
    errdefer std.debug.print("{any}, rows {d}, columns {d}, tokens {d}\n", .{ element, rows, columns, tokens });
    const weights = try testing.Guarded(u8).init(rows * columns * element.bytes());
    defer weights.deinit();
    const x = try testing.Guarded(f32).init(tokens * columns);
    defer x.deinit();
    const expected = try testing.Guarded(f32).init(tokens * rows);
    defer expected.deinit();
    const actual = try testing.Guarded(f32).init(tokens * rows);
    defer actual.deinit();
    testing.fillElements(random, element, weights.items);
    testing.fillFloats(random, x.items);

    var arguments = Arguments{
        .weights = weights.items.ptr,
        .element = element,
        .rows = rows,
        .columns = columns,
        .x = x.items.ptr,
        .tokens = tokens,
        .y = expected.items.ptr,
    };
    testing.runCut(random, &scalar.run, &arguments, rows);
    try expectProducts(element, arguments);
    arguments.y = actual.items.ptr;
    testing.runCut(random, &avx2.run, &arguments, rows);
    try testing.expectSame(f32, expected.items, actual.items);
    try actual.expectGuards();
}

test "dense linear: scalar near float64, every variant its bits" {
    var source = std.Random.DefaultPrng.init(0xde45e);
    const random = source.random();
    inline for (.{ .f32, .f16, .bf16 }) |element| {
        for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 257 }) |columns| {
            for ([_]usize{ 1, 3, 4, 7, 13 }) |rows| {
                for ([_]usize{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 33 }) |tokens| {
                    try expectSameOutputs(element, random, rows, columns, tokens);
                }
            }
        }
        // More rows and columns than several tokens take at once.
        for ([_]usize{ 2, 5, 17 }) |tokens| try expectSameOutputs(element, random, 131, 1100, tokens);
    }
}

test "dense linear: products too small for f32 leave zeros of the same sign" {
    const columns_max = 33;
    const tokens = 5;
    const weights: [2 * columns_max]f32 align(64) = @splat(-1e-30);
    const x: [tokens * columns_max]f32 = @splat(1e-30);
    for (1..columns_max + 1) |columns| inline for (.{ scalar, avx2 }) |variant| {
        var y: [tokens * 2]f32 = undefined;
        variant.run(&Arguments{
            .weights = @ptrCast(&weights),
            .element = .f32,
            .rows = 2,
            .columns = columns,
            .x = &x,
            .tokens = tokens,
            .y = &y,
        }, 0, 2);
        // The padding is zeros, which make +0 of a lane's -0.
        const expected: [tokens * 2]f32 = @splat(if (columns % 8 == 0) -0.0 else 0);
        try testing.expectSame(f32, &expected, &y);
    };
}

test "dense linear: an infinity or a NaN in the input reaches exactly its token's outputs" {
    const columns = 19;
    const rows = 5;
    const tokens = 5;
    const weights: [rows * columns]f32 align(64) = @splat(1);
    inline for (.{ scalar, avx2 }) |variant| for ([_]usize{ 0, 7, 15, 16, 18 }) |place| {
        var x: [tokens * columns]f32 = @splat(1);
        x[2 * columns + place] = std.math.inf(f32);
        x[4 * columns + place] = std.math.nan(f32);
        var y: [tokens * rows]f32 = undefined;
        const arguments = Arguments{
            .weights = @ptrCast(&weights),
            .element = .f32,
            .rows = rows,
            .columns = columns,
            .x = &x,
            .tokens = tokens,
            .y = &y,
        };
        variant.run(&arguments, 0, rows);
        for (y, 0..) |value, i| {
            const expected: f32 = switch (i / rows) {
                2 => std.math.inf(f32),
                4 => std.math.nan(f32),
                else => columns,
            };
            try testing.expectSame(f32, &.{expected}, &.{value});
        }
    };
}
