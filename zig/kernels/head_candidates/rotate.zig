//! One token's activations for the coarse pass of a `split8` head: rotated as its coarse plane is (split8_rotation.zig), and
//! the two numbers that turn sums of codes into scores (docs/head.md, "A coarser first pass").
//!
//! Legend: K columns, P columns padded to whole activation blocks, H columns of one transform.
const std = @import("std");
const format = @import("../../format.zig");
const coarse_build = @import("../split8_coarse_build.zig");
const kernel = @import("../kernel.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const rotation = @import("../split8_rotation.zig");

const block_columns = format.activation_block_columns;
/// What every code is more than the level that it stands for.
const code_mean = 1.5;

pub const Terms = struct { offset: f32, spread: f32 };

/// Rotates the int8 activations at `activations` (prepared.Layout.init(1, columns)) into `rotated` [P] and their int8 form
/// into `out` (prepared.Layout.init(1, P)). Null when they are not finite, or when the int8 form is further from them than
/// the plane's residuals allow for.
pub fn run(
    run_prepare: *const kernel.Run,
    activations: [*]align(64) const u8,
    columns: usize,
    margin: f32,
    rotated: []f32,
    out: [*]align(64) u8,
) ?Terms {
    const sizes = rotation.Rotation.init(columns) orelse return null;
    const layout = prepared.Layout.init(1, columns).?;
    const values: [*]const i8 = @ptrCast(activations + layout.values_offset);
    const scales: [*]const f32 = @ptrCast(@alignCast(activations + layout.scales_offset));
    for (rotated, 0..) |*value, column| {
        const y = @as(f32, @floatFromInt(values[column])) * scales[column / block_columns];
        value.* = if (rotation.isNegative(column)) -y else y;
    }
    rotation.transform(f32, rotated, sizes.transform_columns);
    const arguments = prepare.Arguments{
        .x = rotated.ptr,
        .tokens = 1,
        .columns = rotated.len,
        .column_order = .natural,
        .prepared = out,
    };
    run_prepare(&arguments, 0, layout.blocks);

    const out_layout = prepared.Layout.init(1, rotated.len).?;
    const out_values: [*]const i8 = @ptrCast(out + out_layout.values_offset);
    const out_scales: [*]const f32 = @ptrCast(@alignCast(out + out_layout.scales_offset));
    var sum: f64 = 0;
    var squares: f64 = 0;
    var lost: f64 = 0;
    for (rotated, 0..) |exact, column| {
        const value = @as(f64, @floatFromInt(out_values[column])) * out_scales[column / block_columns];
        sum += value;
        squares += value * value;
        lost += (exact - value) * (exact - value);
    }
    const allowance = coarse_build.activation_allowance;
    if (!(lost <= allowance * allowance * squares)) return null;
    const transform_columns: f64 = @floatFromInt(sizes.transform_columns);
    return .{
        .offset = @floatCast(-code_mean * sum),
        .spread = @floatCast(margin * @sqrt(squares / transform_columns)),
    };
}

test "lengths survive the rotation, and the terms are the rotated activations' sum and length" {
    const TestActivations = @import("../split8_token.zig").TestActivations;
    var source = std.Random.DefaultPrng.init(0x407a);
    for ([_]usize{ 200, 300, 512 }) |columns| {
        const x = try TestActivations.init(source.random(), 1, columns, false);
        defer x.deinit();
        const sizes = rotation.Rotation.init(columns).?;
        const rotated = try std.testing.allocator.alloc(f32, sizes.padded_columns);
        defer std.testing.allocator.free(rotated);
        const bytes = prepared.Layout.init(1, sizes.padded_columns).?.bytes;
        const out = try std.testing.allocator.alignedAlloc(u8, .@"64", bytes);
        defer std.testing.allocator.free(out);
        const terms = run(&@import("../prepare/scalar.zig").run, x.bytes.items.ptr, columns, 2, rotated, out.ptr).?;
        var squares: f64 = 0;
        for (0..columns) |column| {
            const y = @as(f64, x.scaleAt(0, column)) * @as(f64, @floatFromInt(x.valueAt(0, column)));
            squares += y * y;
        }
        var rotated_sum: f64 = 0;
        for (rotated) |value| rotated_sum += value;
        try std.testing.expectApproxEqRel(2 * @sqrt(squares), terms.spread, 0.01);
        // Every rounding to int8 is off by half a step at most, a step being a 127th of the largest.
        const length: f64 = @floatFromInt(rotated.len);
        const tolerance = length * @as(f64, std.mem.max(f32, rotated)) / 100;
        try std.testing.expectApproxEqAbs(-1.5 * rotated_sum, terms.offset, tolerance);
    }
}
