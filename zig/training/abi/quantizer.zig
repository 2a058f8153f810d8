//! Fake quantization (fake_quantize.zig): finds the scales of every range, then writes the effective weights.
//! Legend: R rows, K columns, ranges of a scale: `group_columns` of a row, or the whole matrix when `is_tensor` is 1.
const std = @import("std");
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const fake_quantize = @import("../fake_quantize.zig");

const Arguments = fake_quantize.Arguments;
/// Kept weights of a block of four.
const kept_share = 0.75;
/// TWN's threshold in mean magnitudes.
const twn_share = 0.75;

/// effective [R, K] = Q(w [R, K]) + lambda w. `group_columns` divides K; for a scale per row, and per tensor, it is K.
pub export fn sherry_train_fake_quantize(
    pointer: ?*TrainingContext,
    w: ?[*]const f32,
    rows: usize,
    columns: usize,
    method: u32,
    group_columns: usize,
    is_tensor: u32,
    lambda: f32,
    effective: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ w, effective }) or !arguments.areSizes(&.{ rows, columns, 4 })) {
        return Status.argument_invalid.code();
    }
    if (method > @backingInt(fake_quantize.Method.binary) or is_tensor > 1) return Status.argument_invalid.code();
    if (group_columns == 0 or columns % group_columns != 0 or group_columns % 4 != 0) return Status.argument_invalid.code();
    if (is_tensor == 1 and group_columns != columns) return Status.argument_invalid.code();
    var values = Arguments{
        .w = w.?,
        .columns = columns,
        .group_columns = group_columns,
        .method = @fromBackingInt(method),
        .is_tensor = is_tensor,
        .lambda = lambda,
        .effective = effective.?,
    };
    if (values.method == .none and lambda != 0) return Status.argument_invalid.code();
    if (values.method != .none) {
        const status = findScales(context, &values, rows);
        if (status != .ok) return status.code();
    }
    return context.runUnits(context.table.quantize_write, &values, rows, columns).code();
}

/// Where each block of four of w [R, K] has its zero under sherry: u8 [R, K / 4].
pub export fn sherry_train_zero_positions(
    pointer: ?*TrainingContext,
    w: ?[*]const f32,
    rows: usize,
    columns: usize,
    positions: ?[*]u8,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ w, positions }) or !arguments.areSizes(&.{ rows, columns }) or columns % 4 != 0) {
        return Status.argument_invalid.code();
    }
    const values = Arguments{
        .w = w.?,
        .columns = columns,
        .group_columns = columns,
        .method = .sherry,
        .positions = positions.?,
    };
    return context.runUnits(context.table.quantize_zero_positions, &values, rows, columns).code();
}

/// Fills in `scales` and `thresholds`, which lie in the context's scratch until its next call.
fn findScales(context: *TrainingContext, values: *Arguments, rows: usize) Status {
    const ranges = rows * values.groups();
    const scratch = context.scratchOf(ranges * (2 * @sizeOf(u64) + 2 * @sizeOf(f32))) orelse return .out_of_memory;
    const sums: []f64 = @as([*]f64, @ptrCast(scratch.ptr))[0..ranges];
    const counts: []u64 = @as([*]u64, @ptrCast(scratch.ptr))[ranges..][0..ranges];
    const scales: []f32 = @as([*]f32, @ptrCast(scratch.ptr))[4 * ranges ..][0..ranges];
    const thresholds: []f32 = @as([*]f32, @ptrCast(scratch.ptr))[5 * ranges ..][0..ranges];
    values.sums = sums.ptr;
    values.counts = counts.ptr;
    values.scales = scales.ptr;
    values.thresholds = thresholds.ptr;
    var status = context.runUnits(context.table.quantize_magnitudes, values, rows, values.columns);
    if (status != .ok) return status;
    const range_length: f64 = @floatFromInt(values.group_columns);
    const share: f64 = if (values.method == .sherry) kept_share else 1;
    const tensor_length = range_length * @as(f64, @floatFromInt(ranges));
    if (values.is_tensor == 1) {
        scales[0] = @floatCast(total(sums) / (share * tensor_length));
    } else for (scales, sums) |*scale, sum| {
        scale.* = @floatCast(sum / (share * range_length));
    }
    if (values.method != .twn) return .ok;
    const used: usize = if (values.is_tensor == 1) 1 else ranges;
    for (thresholds[0..used], scales[0..used]) |*threshold, mean| threshold.* = twn_share * mean;
    status = context.runUnits(context.table.quantize_above, values, rows, values.columns);
    if (status != .ok) return status;
    if (values.is_tensor == 1) {
        sums[0] = total(sums);
        for (counts[1..]) |count| counts[0] += count;
    }
    for (scales[0..used], sums[0..used], counts[0..used]) |*scale, sum, count| {
        scale.* = if (count == 0) 0 else @floatCast(sum / @as(f64, @floatFromInt(count)));
    }
    return .ok;
}

/// The ranges' sums in order.
fn total(sums: []const f64) f64 {
    var sum: f64 = 0;
    for (sums) |value| sum += value;
    return sum;
}
