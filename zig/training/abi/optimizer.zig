//! AdamW, and the sum of squares that its gradient clipping needs.
const std = @import("std");
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const adamw = @import("../adamw.zig");
const elements = @import("../elements.zig");

/// out = the sum of the squares of x [count], in one order whatever the number of threads.
pub export fn sherry_train_sum_of_squares(pointer: ?*TrainingContext, x: ?[*]const f32, count: usize, out: ?*f64) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    const slot = out orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{x}) or !arguments.areSizes(&.{count})) return Status.argument_invalid.code();
    var sums: [elements.chunks_max]f64 = undefined;
    const size = elements.chunkElements(count);
    const chunks = (count + size - 1) / size;
    const values = elements.Arguments(f32){ .count = count, .x = x.?, .sums = &sums };
    const status = context.runUnits(context.table.sum_of_squares, &values, chunks, size);
    if (status != .ok) return status.code();
    var sum: f64 = 0;
    for (sums[0..chunks]) |value| sum += value;
    slot.* = sum;
    return Status.ok.code();
}

/// One step of w, m and v [count] along gradient [count]; `step` counts from 1.
pub export fn sherry_train_adamw(
    pointer: ?*TrainingContext,
    gradient: ?[*]const f32,
    count: usize,
    step: u64,
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
    gradient_scale: f64,
    w: ?[*]f32,
    m: ?[*]f32,
    v: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ gradient, w, m, v }) or !arguments.areSizes(&.{count}) or step == 0) {
        return Status.argument_invalid.code();
    }
    const is_beta = beta1 >= 0 and beta1 < 1 and beta2 >= 0 and beta2 < 1;
    if (!is_beta or !(epsilon > 0) or !std.math.isFinite(gradient_scale)) return Status.argument_invalid.code();
    const values = adamw.Arguments(f32){
        .w = w.?,
        .gradient = gradient.?,
        .m = m.?,
        .v = v.?,
        .learning_rate = @floatCast(learning_rate),
        .beta1 = @floatCast(beta1),
        .beta2 = @floatCast(beta2),
        .epsilon = @floatCast(epsilon),
        .weight_decay = @floatCast(weight_decay),
        .gradient_scale = @floatCast(gradient_scale),
        .correction1 = @floatCast(adamw.correction(beta1, step)),
        .correction2 = @floatCast(adamw.correction(beta2, step)),
    };
    return context.runUnits(context.table.adamw, &values, count, 4).code();
}
