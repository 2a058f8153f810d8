//! Y = X W^T for an `int4` tensor (four bits, one f16 scale per 32 columns) times int8 activations (one scale per 256).
//!
//! Result, the same bits from every implementation: for output (token, row) the groups of 32 columns are taken in order;
//! each gives the exact integer dot product S, and
//!   y = ((0 + f32(S0) * (w0 * s[0])) + f32(S1) * (w1 * s[1 / 8])) + ...
//! with w the weight scale widened to f32 and s the activation scale of the group's 256 columns. Every multiply and add
//! rounds on its own. Activations lie within +-127, those past K are zero, as prepare.zig makes them.
//!
//! Unit of work: one tile of eight rows, for all tokens. Rows past `rows` are computed but never written.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("prepared.zig");

const int4 = format.int4;

pub const Arguments = extern struct {
    /// Codes and scales as format.int4.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64; columns in their natural order.
    prepared: [*]align(64) const u8,
    tokens: usize,
    /// f32 [B][R]
    y: [*]f32,
};

/// The arguments taken apart.
pub const Operands = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    layout: int4.Layout,
    codes: [*]const u8,
    weight_scales: [*]const f16,
    /// N, the activation blocks of a token.
    activation_blocks: usize,
    /// f32 [B][N]
    scales: [*]const f32,
    /// i32 [B][N][8], one for a group.
    sums: [*]const i32,
    /// i8 [B][N * 256]
    values: [*]const i8,
    /// f32 [B][R]
    y: [*]f32,

    pub fn init(arguments: *const Arguments) Operands {
        const layout = int4.Layout.init(arguments.rows, arguments.columns).?;
        const activations = prepared.Layout.init(arguments.tokens, arguments.columns).?;
        const base = arguments.prepared;
        return .{
            .rows = arguments.rows,
            .columns = arguments.columns,
            .tokens = arguments.tokens,
            .layout = layout,
            .codes = arguments.weights,
            .weight_scales = @ptrCast(@alignCast(arguments.weights[layout.scales_offset..])),
            .activation_blocks = activations.blocks,
            .scales = @ptrCast(@alignCast(base[activations.scales_offset..])),
            .sums = @ptrCast(@alignCast(base[activations.sums_offset..])),
            .values = @ptrCast(base[activations.values_offset..]),
            .y = arguments.y,
        };
    }
};

comptime {
    if (prepared.sum_columns != int4.group_columns) @compileError("sums of activations must be sums of groups");
}

const testing = @import("testing.zig");
const scalar = @import("int4_linear/scalar.zig");
const avx2 = if (testing.has_avx2) @import("int4_linear/avx2.zig") else scalar;

const Case = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    weights: testing.Guarded(u8),
    prepared: testing.Guarded(u8),

    /// Random weights, padding included: nothing may depend on it. Extreme: all -8 or all 7 by turns of rows.
    fn init(random: std.Random, rows: usize, columns: usize, tokens: usize, extreme: bool) !Case {
        const layout = int4.Layout.init(rows, columns).?;
        const weights = try testing.Guarded(u8).init(layout.bytes);
        errdefer weights.deinit();
        random.bytes(weights.items[0..layout.scales_offset]);
        if (extreme) for (weights.items[0..layout.scales_offset], 0..) |*byte, index| {
            byte.* = if (index / 4 % 2 == 0) 0x00 else 0xff;
        };
        testing.fillElements(random, .f16, @alignCast(weights.items[layout.scales_offset..]));
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

    /// Integer sums are exact; a term has three roundings, and there is one more for each of the terms.
    fn expectNear(self: Case, y: []const f32) !void {
        const operands = Operands.init(&self.arguments(undefined));
        for (0..self.rows) |row| for (0..self.tokens) |token| {
            var exact: f64 = 0;
            var magnitude: f64 = 0;
            for (0..self.columns) |column| {
                const group = column / 32;
                const chunk = operands.codes + (row / 8 * operands.layout.groups + group) * 128;
                const weight_scale: f64 = operands.weight_scales[operands.layout.scaleIndex(row, group)];
                const cell = token * operands.activation_blocks + column / 256;
                const weight: f64 = @floatFromInt(int4.value(chunk[0..128], row % 8, column % 32));
                const value: f64 = @floatFromInt(operands.values[cell * 256 + column % 256]);
                const term = weight * weight_scale * value * operands.scales[cell];
                exact += term;
                magnitude += @abs(term);
            }
            const terms: f64 = @floatFromInt(operands.layout.groups + 3);
            errdefer std.debug.print("row {d} token {d}\n", .{ row, token });
            try testing.expectNear(exact, y[token * self.rows + row], terms * 0x1p-24 * magnitude);
        };
    }
};

test "int4 linear: scalar near the exact product, AVX2 the same bits, nothing written outside" {
    var source = std.Random.DefaultPrng.init(0x1474);
    const random = source.random();
    for ([_]usize{ 1, 7, 8, 9, 41 }) |rows| for ([_]usize{ 1, 2, 4, 5, 9 }) |tokens| {
        for ([_]usize{ 1, 16, 31, 32, 33, 64, 172, 256, 257, 300, 512, 1000 }) |columns| {
            for ([_]bool{ false, true }) |extreme| {
                errdefer std.debug.print("K {d} R {d} B {d} extreme {}\n", .{ columns, rows, tokens, extreme });
                const case = try Case.init(random, rows, columns, tokens, extreme);
                defer case.deinit();
                const expected = try testing.Guarded(f32).init(tokens * rows);
                defer expected.deinit();
                const actual = try testing.Guarded(f32).init(tokens * rows);
                defer actual.deinit();
                const tiles = int4.Layout.init(rows, columns).?.tiles;
                testing.runCut(random, &scalar.run, &case.arguments(expected.items.ptr), tiles);
                try expected.expectGuards();
                try case.expectNear(expected.items);
                testing.runCut(random, &avx2.run, &case.arguments(actual.items.ptr), tiles);
                try testing.expectSame(f32, expected.items, actual.items);
                try actual.expectGuards();
            }
        }
    };
}

test "int4 linear: a block whose activation scale is NaN makes that token's outputs NaN, no other's" {
    var source = std.Random.DefaultPrng.init(0x1475);
    for ([_]usize{ 40, 300, 512 }) |columns| {
        const case = try Case.init(source.random(), 3, columns, 3, false);
        defer case.deinit();
        const layout = prepared.Layout.init(3, columns).?;
        const scales: [*]f32 = @ptrCast(@alignCast(case.prepared.items[layout.scales_offset..].ptr));
        scales[2 * layout.blocks - 1] = std.math.nan(f32);
        inline for (.{ scalar, avx2 }) |variant| {
            var y: [9]f32 = undefined;
            variant.run(&case.arguments(&y), 0, 1);
            for (y, 0..) |value, i| try std.testing.expectEqual(i / 3 == 1, std.math.isNan(value));
        }
    }
}
