//! Y = X W^T for a `q8` tensor (int8, one f16 scale per 32 columns) times int8 activations (one scale per 256).
//!
//! Result, the same bits from every implementation: for output (token, row) the groups of 32 columns are taken in
//! order; each gives the exact integer dot product S (over the columns that exist), and
//!   term(g) = f32(S) * (w[g] * s[g / 8])
//! with w the weight scale widened to f32 and s the activation scale. The terms are summed in the eight lanes of
//! lanes.zig (lane g % 8), then folded. A value of -128 in the weights is valid and exact; activations lie
//! within +-127, as prepare.zig makes them.
//!
//! Unit of work: one row, for all tokens.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("prepared.zig");

pub const Arguments = extern struct {
    /// Values and scales as format.Q8Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64.
    prepared: [*]align(64) const u8,
    tokens: usize,
    /// f32 [B][R]
    y: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("q8_linear/scalar.zig");

const Case = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    weights: testing.Guarded(u8),
    prepared: testing.Guarded(u8),

    /// Random weights (the padding too: nothing may depend on it) and activations, values past K zero.
    fn init(random: std.Random, rows: usize, columns: usize, tokens: usize, extreme: bool) !Case {
        const weights_layout = format.Q8Layout.init(rows, columns).?;
        const weights = try testing.Guarded(u8).init(weights_layout.bytes);
        errdefer weights.deinit();
        random.bytes(weights.items[0..weights_layout.scales_offset]);
        testing.fillElements(random, .f16, @alignCast(weights.items[weights_layout.scales_offset..]));
        if (extreme) @memset(weights.items[0..weights_layout.scales_offset], @bitCast(@as(i8, -128)));
        const activations = try testing.randomPrepared(random, tokens, columns, extreme);
        return .{ .rows = rows, .columns = columns, .tokens = tokens, .weights = weights, .prepared = activations };
    }

    fn deinit(self: Case) void {
        self.weights.deinit();
        self.prepared.deinit();
    }

    fn arguments(self: Case, y: [*]f32) Arguments {
        return .{
            .weights = self.weights.items.ptr,
            .rows = self.rows,
            .columns = self.columns,
            .prepared = self.prepared.items.ptr,
            .tokens = self.tokens,
            .y = y,
        };
    }

    /// Integer sums are exact; a term has three roundings, a lane one for each of its terms, the fold three.
    fn expectNear(self: Case, y: []const f32) !void {
        const weights_layout = format.Q8Layout.init(self.rows, self.columns).?;
        const layout = prepared.Layout.init(self.tokens, self.columns).?;
        const weight_scales_bytes = self.weights.items[weights_layout.scales_offset..];
        const weight_scales: [*]const f16 = @ptrCast(@alignCast(weight_scales_bytes.ptr));
        const scales: [*]const f32 = @ptrCast(@alignCast(self.prepared.items[layout.scales_offset..].ptr));
        for (0..self.rows) |row| for (0..self.tokens) |token| {
            var exact: f64 = 0;
            var magnitude: f64 = 0;
            for (0..weights_layout.groups) |group| {
                var sum: i64 = 0;
                for (group * 32..@min(group * 32 + 32, self.columns)) |k| {
                    const weight: i8 = @bitCast(self.weights.items[row * weights_layout.padded_columns + k]);
                    const value_offset = layout.values_offset + token * layout.padded_columns + k;
                    const value: i8 = @bitCast(self.prepared.items[value_offset]);
                    sum += @as(i64, weight) * value;
                }
                const weight_scale: f64 = weight_scales[row * weights_layout.groups + group];
                const scale = weight_scale * scales[token * layout.blocks + group / 8];
                exact += scale * @as(f64, @floatFromInt(sum));
                magnitude += @abs(scale * @as(f64, @floatFromInt(sum)));
            }
            errdefer std.debug.print("row {d}, token {d}\n", .{ row, token });
            const roundings: f64 = @floatFromInt(weights_layout.groups / 8 + 8);
            try testing.expectNear(exact, y[token * self.rows + row], roundings * 0x1p-24 * magnitude + 1e-40);
        };
    }
};

test "q8 linear: scalar near float64, a NaN stays with its token" {
    try forEachCase(struct {
        fn check(random: std.Random, case: Case) !void {
            const y = try testing.Guarded(f32).init(case.tokens * case.rows);
            defer y.deinit();
            testing.runCut(random, &scalar.run, &case.arguments(y.items.ptr), case.rows);
            try case.expectNear(y.items);
        }
    }.check);
    try expectNotANumber(scalar);
}

test "q8 linear: AVX2 gives scalar's bits" {
    if (comptime !testing.has_avx2) return error.SkipZigTest;
    try expectVariant(@import("q8_linear/avx2.zig"));
}

/// Holds a variant to the bits of scalar.
pub fn expectVariant(comptime variant: type) !void {
    try forEachCase(struct {
        fn check(random: std.Random, case: Case) !void {
            const expected = try testing.Guarded(f32).init(case.tokens * case.rows);
            defer expected.deinit();
            const actual = try testing.Guarded(f32).init(case.tokens * case.rows);
            defer actual.deinit();
            testing.runCut(random, &scalar.run, &case.arguments(expected.items.ptr), case.rows);
            testing.runCut(random, &variant.run, &case.arguments(actual.items.ptr), case.rows);
            try testing.expectSame(f32, expected.items, actual.items);
            try actual.expectGuards();
        }
    }.check);
    try expectNotANumber(variant);
}

/// Calls `check` with odd shapes, extremes included.
fn forEachCase(comptime check: fn (random: std.Random, case: Case) anyerror!void) !void {
    var source = std.Random.DefaultPrng.init(0x981);
    const random = source.random();
    const token_counts = [_]usize{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 33 };
    for ([_]usize{ 1, 3, 7, 8, 9, 31, 32, 33, 64, 100, 172, 255, 256, 257, 288, 512, 800 }) |columns| {
        for ([_]usize{ 1, 3, 5 }) |rows| for (token_counts) |tokens| for ([_]bool{ false, true }) |extreme| {
            try checkOne(check, random, rows, columns, tokens, extreme);
        };
    }
    // More rows and columns than several tokens take at once.
    for ([_]usize{ 2, 9 }) |tokens| for ([_]bool{ false, true }) |extreme| try checkOne(check, random, 131, 2360, tokens, extreme);
}

fn checkOne(
    comptime check: fn (random: std.Random, case: Case) anyerror!void,
    random: std.Random,
    rows: usize,
    columns: usize,
    tokens: usize,
    extreme: bool,
) !void {
    errdefer std.debug.print("K {d} R {d} B {d} extreme {}\n", .{ columns, rows, tokens, extreme });
    const case = try Case.init(random, rows, columns, tokens, extreme);
    defer case.deinit();
    try check(random, case);
}

/// A block whose activation scale is NaN makes that token's outputs NaN, no other's.
fn expectNotANumber(comptime variant: type) !void {
    var source = std.Random.DefaultPrng.init(0x982);
    for ([_]usize{ 40, 300, 512 }) |columns| {
        const case = try Case.init(source.random(), 3, columns, 3, false);
        defer case.deinit();
        const layout = prepared.Layout.init(3, columns).?;
        const scales: [*]f32 = @ptrCast(@alignCast(case.prepared.items[layout.scales_offset..].ptr));
        scales[2 * layout.blocks - 1] = std.math.nan(f32);
        var y: [9]f32 = undefined;
        variant.run(&case.arguments(&y), 0, 3);
        for (y, 0..) |value, i| try std.testing.expectEqual(i / 3 == 1, std.math.isNan(value));
    }
}
