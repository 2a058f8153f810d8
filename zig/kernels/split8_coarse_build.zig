//! Makes the coarse plane of a `split8` head (split8_coarse.zig) from its two planes of nibbles. docs/head.md, "A coarser
//! first pass", derives gains and residuals.
//!
//! For row r with int8 weights w (columns past K count 0), H columns in a transform and P padded columns:
//!   W = transform of the weights with the rotation's signs, exact in i32
//!   threshold = round(0.9957 sqrt(H sum(w^2) / P))
//!   code = 3 where W >= threshold, 2 where 0 <= W, 1 where -threshold <= W, else 0; q = code - 1.5
//!   gain = scale * sum(w^2) / sum(W q)
//!   residual = scale * sqrt((sum(w^2) * (H sum(w^2) sum(q^2) / sum(W q)^2 - 1) + allowance^2 sum(w^2)) / P)
//! with integer sums and f64 arithmetic rounded to f32 at the end, so that every implementation gives the same bits. A row
//! of zeros has gain and residual 0.
//!
//! 0.9957 standard deviations is the step with the least squared error for normal numbers in four equal steps (Max, "Quantizing
//! for minimum distortion", 1960).
//!
//! Unit of work: one tile of 64 rows; the last may be short, and its codes are filled up with those of zeros.
const std = @import("std");
const format = @import("../format.zig");
const coarse = @import("split8_coarse.zig");
const kernel = @import("kernel.zig");
const rotation = @import("split8_rotation.zig");
const upper = @import("split8_upper.zig");

/// The error of rotated int8 activations that residuals have room for, as a share of their length.
pub const activation_allowance = 1.0 / 64.0;
const step_deviations = 0.9957;

pub const Arguments = extern struct {
    /// As format.split8.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// As split8_coarse.Layout lays it out, aligned to 64; all of a unit's bytes are written.
    coarse: [*]align(64) u8,
};

/// Sums over one row's rotated weights, with 2q the odd numbers -3 .. 3. All of them stay below 2^31: |w| <= 135, and by
/// Cauchy and Schwarz sum(|W|) <= 135 P sqrt(H).
pub const Sums = struct {
    /// sum(w^2)
    squares: i32,
    /// sum(W 2q)
    products: i32,
    /// sum((2q)^2)
    code_squares: i32,
};

comptime {
    const columns = rotation.padded_columns_max;
    if (3 * 135 * columns * @sqrt(@as(f64, columns)) >= 0x1p31) @compileError("sums of a row must fit 32 bits");
}

/// The threshold of a row whose int8 weights have that sum of squares.
pub fn thresholdOf(squares: i32, sizes: rotation.Rotation) i32 {
    const transform_columns: f64 = @floatFromInt(sizes.transform_columns);
    const padded_columns: f64 = @floatFromInt(sizes.padded_columns);
    return @intFromFloat(@round(step_deviations * @sqrt(transform_columns * @as(f64, @floatFromInt(squares)) / padded_columns)));
}

/// Writes gain and residual of a row.
pub fn writeFactors(a: *const Arguments, layout: coarse.Layout, row: usize, sums: Sums) void {
    const sizes = rotation.Rotation.init(a.columns).?;
    const weights_layout = format.split8.Layout.init(a.rows, a.columns).?;
    const scales: [*]const f32 = @ptrCast(@alignCast(a.weights + weights_layout.scales_offset));
    const gains: [*]f32 = @ptrCast(@alignCast(a.coarse + layout.gains_offset));
    const residuals: [*]f32 = @ptrCast(@alignCast(a.coarse + layout.residuals_offset));
    gains[row] = 0;
    residuals[row] = 0;
    if (sums.squares == 0) return;
    const scale: f64 = scales[row];
    const transform_columns: f64 = @floatFromInt(sizes.transform_columns);
    const padded_columns: f64 = @floatFromInt(sizes.padded_columns);
    const squares: f64 = @floatFromInt(sums.squares);
    const products = @as(f64, @floatFromInt(sums.products)) / 2;
    const code_squares = @as(f64, @floatFromInt(sums.code_squares)) / 4;
    const ratio = transform_columns * squares * code_squares / (products * products);
    const lost = @max(0, ratio - 1) + activation_allowance * activation_allowance;
    gains[row] = @floatCast(scale * squares / products);
    residuals[row] = @floatCast(scale * @sqrt(squares * lost / padded_columns));
}

/// Zeros in the place of the rows that fill up the last four.
pub fn clearRowsAfter(a: *const Arguments, layout: coarse.Layout) void {
    for (a.rows..format.roundUp(a.rows, coarse.rows_together).?) |row| for (0..layout.blocks) |block| {
        @memset(a.coarse[layout.blockOffset(row, block)..][0..coarse.block_bytes], 0);
    };
}

const testing = @import("testing.zig");
const TestWeights = @import("split8_linear.zig").TestWeights;
const scalar = @import("split8_coarse_build/scalar.zig");
const avx2 = if (testing.has_avx2) @import("split8_coarse_build/avx2.zig") else scalar;

fn build(random: std.Random, run: *const kernel.Run, weights: TestWeights) !testing.Guarded(u8) {
    const result = try testing.Guarded(u8).init(coarse.Layout.init(weights.rows, weights.columns).?.bytes);
    errdefer result.deinit();
    const arguments = Arguments{
        .weights = weights.bytes.items.ptr,
        .rows = weights.rows,
        .columns = weights.columns,
        .coarse = result.items.ptr,
    };
    testing.runCut(random, run, &arguments, upper.tileCount(weights.rows));
    try result.expectGuards();
    return result;
}

/// Codes, gain and residual of a row, from its weights rotated by the definition of the transform, in f64.
fn expectRow(weights: TestWeights, bytes: []const u8, row: usize) !void {
    const layout = coarse.Layout.init(weights.rows, weights.columns).?;
    const sizes = rotation.Rotation.init(weights.columns).?;
    const transform_columns = sizes.transform_columns;
    var squares: f64 = 0;
    for (0..weights.columns) |column| squares += @floatFromInt(weights.weight(row, column) * weights.weight(row, column));
    const padded_columns: f64 = @floatFromInt(sizes.padded_columns);
    const norm: f64 = @floatFromInt(transform_columns);
    const threshold = @round(step_deviations * @sqrt(norm * squares / padded_columns));
    var products: f64 = 0;
    var code_squares: f64 = 0;
    for (0..sizes.padded_columns) |rotated| {
        var sum: i32 = 0;
        const first = rotated / transform_columns * transform_columns;
        for (first..@min(first + transform_columns, weights.columns)) |column| {
            const odd = @popCount((rotated - first) & (column - first)) % 2 != 0;
            const weight = weights.weight(row, column);
            sum += if (odd != rotation.isNegative(column)) -weight else weight;
        }
        const value: f64 = @floatFromInt(sum);
        const expected: u2 = if (value >= threshold) 3 else if (value >= 0) 2 else if (value >= -threshold) 1 else 0;
        const place = coarse.codePlace(rotated % 256);
        const code: u2 = @truncate(bytes[layout.blockOffset(row, rotated / 256) + place.byte] >> place.shift);
        errdefer std.debug.print("row {d} column {d}\n", .{ row, rotated });
        try std.testing.expectEqual(expected, code);
        const q = @as(f64, @floatFromInt(expected)) - 1.5;
        products += value * q;
        code_squares += q * q;
    }
    const gains: [*]const f32 = @ptrCast(@alignCast(bytes[layout.gains_offset..].ptr));
    const residuals: [*]const f32 = @ptrCast(@alignCast(bytes[layout.residuals_offset..].ptr));
    const scale: f64 = weights.rowScale(row);
    if (squares == 0) {
        try std.testing.expectEqual(0, gains[row]);
        try std.testing.expectEqual(0, residuals[row]);
        return;
    }
    const gain = scale * squares / products;
    try testing.expectNear(gain, gains[row], gain * 1e-7);
    // The length of gain q - w in units of a column, w and q in rotated columns of the same length as the original's.
    const lost = gain * gain * code_squares * norm - scale * scale * squares;
    const allowed = scale * scale * squares * activation_allowance * activation_allowance;
    const residual = @sqrt((@max(0, lost) + allowed) / padded_columns);
    try testing.expectNear(residual, residuals[row], residual * 1e-6);
}

test "split8 coarse build: scalar is the definition, every variant its bytes, tiles cut anywhere" {
    var source = std.Random.DefaultPrng.init(0xc0b1);
    const random = source.random();
    for ([_]usize{ 1, 60, 256, 300, 512, 520 }) |columns| for ([_]usize{ 1, 4, 7, 64, 67 }) |rows| {
        for ([_]bool{ false, true }) |extreme| {
            errdefer std.debug.print("K {d} R {d} extreme {}\n", .{ columns, rows, extreme });
            // Extreme: bits that no packer writes, weights of up to 135; else a row of zeros among normal ones.
            const weights = if (extreme)
                try TestWeights.init(random, rows, columns, true)
            else
                try TestWeights.initNormal(random, rows, columns);
            defer weights.deinit();
            if (!extreme) for (0..columns) |column| weights.setWeight(rows / 2, column, 0);
            const expected = try build(random, &scalar.run, weights);
            defer expected.deinit();
            for ([_]usize{ 0, rows / 2, rows - 1 }) |row| try expectRow(weights, expected.items, row);
            const actual = try build(random, &avx2.run, weights);
            defer actual.deinit();
            try testing.expectSame(u8, expected.items, actual.items);
        }
    };
}
