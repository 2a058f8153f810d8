//! Y = X W^T for a `q6k` tensor (GGUF's Q6_K: six bits, an int8 sub-scale for 16 columns, an f16 scale for 256) times int8
//! activations (one scale per 256).
//!
//! Result, the same bits from every implementation: for output (token, row) the blocks of 256 columns are taken in order;
//! each gives the exact integer sum S of sub-scale * (code - 32) * activation, and
//!   term(n) = f32(S) * (w[n] * s[n])
//! with w the block's weight scale widened to f32 and s its activation scale. The terms are summed in the eight lanes of
//! lanes.zig (lane n % 8), then folded. Activations lie within +-127, as prepare.zig makes them.
//!
//! Unit of work: one row, for all tokens.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("prepared.zig");

const q6k = format.q6k;

pub const Arguments = extern struct {
    /// Codes, sub-scales and scales as format.q6k.Layout lays them out, aligned to 64.
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
    tokens: usize,
    /// N, of a row and of a token.
    blocks: usize,
    /// [R][N]
    codes: [*]const [q6k.codes_bytes]u8,
    /// [R][N]
    sub_scales: [*]const [q6k.sub_scales]i8,
    /// [R][N]
    weight_scales: [*]const f16,
    /// f32 [B][N]
    scales: [*]const f32,
    /// i16 [B][N][16]
    half_sums: [*]const [prepared.block_half_sums]i16,
    /// i8 [B][N][256]
    values: [*]const [q6k.block_columns]i8,
    /// f32 [B][R]
    y: [*]f32,

    pub fn init(arguments: *const Arguments) Operands {
        const layout = q6k.Layout.init(arguments.rows, arguments.columns).?;
        const activations = prepared.Layout.init(arguments.tokens, arguments.columns).?;
        const weights = arguments.weights;
        const base = arguments.prepared;
        return .{
            .rows = arguments.rows,
            .tokens = arguments.tokens,
            .blocks = layout.blocks,
            .codes = @ptrCast(weights),
            .sub_scales = @ptrCast(weights[layout.sub_scales_offset..]),
            .weight_scales = @ptrCast(@alignCast(weights[layout.scales_offset..])),
            .scales = @ptrCast(@alignCast(base[activations.scales_offset..])),
            .half_sums = @ptrCast(@alignCast(base[activations.half_sums_offset..])),
            .values = @ptrCast(base[activations.values_offset..]),
            .y = arguments.y,
        };
    }
};

const testing = @import("testing.zig");
const scalar = @import("q6k_linear/scalar.zig");
const avx2 = if (testing.has_avx2) @import("q6k_linear/avx2.zig") else scalar;

const Case = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    weights: testing.Guarded(u8),
    prepared: testing.Guarded(u8),

    /// Extreme: the codes, sub-scales and activations with the largest products, whose signs differ from row to row.
    fn init(random: std.Random, rows: usize, columns: usize, tokens: usize, extreme: bool) !Case {
        const layout = q6k.Layout.init(rows, columns).?;
        const weights = try testing.Guarded(u8).init(layout.bytes);
        errdefer weights.deinit();
        random.bytes(weights.items[0..layout.scales_offset]);
        if (extreme) for (0..rows) |row| {
            const codes = weights.items[row * layout.blocks * q6k.codes_bytes ..];
            @memset(codes[0 .. layout.blocks * q6k.codes_bytes], if (row % 2 == 0) 0x00 else 0xff);
            const sub_scales = weights.items[layout.sub_scales_offset + row * layout.blocks * q6k.sub_scales ..];
            @memset(sub_scales[0 .. layout.blocks * q6k.sub_scales], if (row / 2 % 2 == 0) 0x80 else 0x7f);
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

    /// Integer sums are exact; a term has three roundings and one of its integer, a lane one for each of its terms, the
    /// fold three.
    fn expectNear(self: Case, y: []const f32) !void {
        const operands = Operands.init(&self.arguments(undefined));
        for (0..self.rows) |row| for (0..self.tokens) |token| {
            var exact: f64 = 0;
            var magnitude: f64 = 0;
            for (0..self.columns) |column| {
                const cell = row * operands.blocks + column / 256;
                const token_cell = token * operands.blocks + column / 256;
                const code: i32 = q6k.code(&operands.codes[cell], column % 256);
                const sub_scale: i32 = operands.sub_scales[cell][q6k.subScalePlace(column % 256 / 16)];
                const product: f64 = @floatFromInt(sub_scale * (code - 32) * operands.values[token_cell][column % 256]);
                const term = product * operands.weight_scales[cell] * operands.scales[token_cell];
                exact += term;
                magnitude += @abs(term);
            }
            const terms: f64 = @floatFromInt(operands.blocks + 7);
            errdefer std.debug.print("row {d} token {d}\n", .{ row, token });
            try testing.expectNear(exact, y[token * self.rows + row], terms * 0x1p-24 * magnitude);
        };
    }
};

test "q6k linear: scalar near the exact product, AVX2 the same bits, nothing written outside" {
    var source = std.Random.DefaultPrng.init(0x96);
    const random = source.random();
    for ([_]usize{ 1, 2, 7, 41 }) |rows| for ([_]usize{ 1, 2, 4, 5, 9 }) |tokens| {
        for ([_]usize{ 1, 2, 3, 7, 8, 9, 17 }) |blocks| for ([_]bool{ false, true }) |extreme| {
            errdefer std.debug.print("N {d} R {d} B {d} extreme {}\n", .{ blocks, rows, tokens, extreme });
            const case = try Case.init(random, rows, blocks * 256, tokens, extreme);
            defer case.deinit();
            const expected = try testing.Guarded(f32).init(tokens * rows);
            defer expected.deinit();
            const actual = try testing.Guarded(f32).init(tokens * rows);
            defer actual.deinit();
            testing.runCut(random, &scalar.run, &case.arguments(expected.items.ptr), rows);
            try case.expectNear(expected.items);
            testing.runCut(random, &avx2.run, &case.arguments(actual.items.ptr), rows);
            try testing.expectSame(f32, expected.items, actual.items);
            try actual.expectGuards();
        };
    };
}

test "q6k linear: a block whose activation scale is NaN makes that token's outputs NaN, no other's" {
    var source = std.Random.DefaultPrng.init(0x97);
    for ([_]usize{ 1, 3, 8, 9 }) |blocks| {
        const case = try Case.init(source.random(), 3, blocks * 256, 3, false);
        defer case.deinit();
        const layout = prepared.Layout.init(3, blocks * 256).?;
        const scales: [*]f32 = @ptrCast(@alignCast(case.prepared.items[layout.scales_offset..].ptr));
        scales[2 * layout.blocks - 1] = std.math.nan(f32);
        inline for (.{ scalar, avx2 }) |variant| {
            var y: [9]f32 = undefined;
            variant.run(&case.arguments(&y), 0, 3);
            for (y, 0..) |value, i| try std.testing.expectEqual(i / 3 == 1, std.math.isNan(value));
        }
    }
}
