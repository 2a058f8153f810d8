//! Losses and their gradients with respect to the logits. Legend: N tokens, V vocabulary.
const std = @import("std");
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const cross_entropy = @import("../cross_entropy.zig");
const distillation = @import("../distillation.zig");

const exponential_work = 16;

/// losses [N] and dlogits [N, V] = scale (softmax(logits) - onehot(targets)); dlogits may be the logits.
pub export fn sherry_train_cross_entropy(
    pointer: ?*TrainingContext,
    logits: ?[*]const f32,
    targets: ?[*]const u32,
    tokens: usize,
    vocabulary: usize,
    scale: f32,
    losses: ?[*]f32,
    dlogits: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ logits, targets, losses, dlogits }) or !arguments.areSizes(&.{ tokens, vocabulary })) {
        return Status.argument_invalid.code();
    }
    for (targets.?[0..tokens]) |target| {
        if (target >= vocabulary and target != cross_entropy.ignored) return Status.argument_invalid.code();
    }
    const values = cross_entropy.Arguments(f32){
        .logits = logits.?,
        .targets = targets.?,
        .vocabulary = vocabulary,
        .scale = scale,
        .losses = losses.?,
        .dlogits = dlogits.?,
    };
    return context.runUnits(context.table.cross_entropy, &values, tokens, vocabulary *| exponential_work).code();
}

/// losses [N] = T^2 KL(teacher || student); dlogits [N, V] += weight times their gradient. dlogits is not the logits.
pub export fn sherry_train_distillation(
    pointer: ?*TrainingContext,
    logits: ?[*]const f32,
    teacher_logits: ?[*]const f32,
    tokens: usize,
    vocabulary: usize,
    weight: f32,
    temperature: f32,
    losses: ?[*]f32,
    dlogits: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ logits, teacher_logits, losses, dlogits }) or
        !arguments.areSizes(&.{ tokens, vocabulary })) return Status.argument_invalid.code();
    if (!std.math.isFinite(temperature) or temperature <= 0) return Status.argument_invalid.code();
    if (@intFromPtr(logits.?) == @intFromPtr(dlogits.?)) return Status.argument_invalid.code();
    const values = distillation.Arguments(f32){
        .logits = logits.?,
        .teacher_logits = teacher_logits.?,
        .vocabulary = vocabulary,
        .weight = weight,
        .temperature = temperature,
        .losses = losses.?,
        .dlogits = dlogits.?,
    };
    return context.runUnits(context.table.distillation, &values, tokens, vocabulary *| (4 * exponential_work)).code();
}
