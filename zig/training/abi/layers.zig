//! RMS norm, rotary, SwiGLU, embedding and small array operations. Legend: N tokens, C width, D head_dim, V vocabulary.
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const elements = @import("../elements.zig");
const embedding = @import("../embedding.zig");
const rms_norm = @import("../rms_norm.zig");
const rotary = @import("../rotary.zig");
const swiglu = @import("../swiglu.zig");

/// Operations that an exponential counts as.
const exponential_work = 16;

/// y [N, C] = x / rms(x) * gain; inverse_rms [N] is kept for the backward.
pub export fn sherry_train_rms_norm_forward(
    pointer: ?*TrainingContext,
    x: ?[*]const f32,
    gain: ?[*]const f32,
    tokens: usize,
    width: usize,
    epsilon: f32,
    inverse_rms: ?[*]f32,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ x, gain, inverse_rms, y }) or !arguments.areSizes(&.{ tokens, width })) {
        return Status.argument_invalid.code();
    }
    const values = rms_norm.Arguments(f32){
        .x = x.?,
        .gain = gain.?,
        .inverse_rms = inverse_rms.?,
        .tokens = tokens,
        .width = width,
        .epsilon = epsilon,
        .y = y.?,
    };
    return context.runUnits(context.table.rms_norm_forward, &values, tokens, width).code();
}

/// dx [N, C] += and dgain [C] += the gradients of x and gain.
pub export fn sherry_train_rms_norm_backward(
    pointer: ?*TrainingContext,
    dy: ?[*]const f32,
    x: ?[*]const f32,
    gain: ?[*]const f32,
    inverse_rms: ?[*]f32,
    tokens: usize,
    width: usize,
    dx: ?[*]f32,
    dgain: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ dy, x, gain, inverse_rms, dx, dgain }) or !arguments.areSizes(&.{ tokens, width })) {
        return Status.argument_invalid.code();
    }
    const values = rms_norm.Arguments(f32){
        .x = x.?,
        .gain = gain.?,
        .inverse_rms = inverse_rms.?,
        .tokens = tokens,
        .width = width,
        .dy = dy.?,
        .dx = dx.?,
        .dgain = dgain.?,
    };
    const units = (width + rms_norm.gain_columns - 1) / rms_norm.gain_columns;
    const status = context.runUnits(context.table.rms_norm_backward_gain, &values, units, tokens * rms_norm.gain_columns);
    if (status != .ok) return status.code();
    return context.runUnits(context.table.rms_norm_backward_input, &values, tokens, width).code();
}

/// Turns x [N, heads, D] in place, by the table [sequence_tokens][2][D/2]; backward when `backward` is 1.
pub export fn sherry_train_rotary(
    pointer: ?*TrainingContext,
    x: ?[*]f32,
    table: ?[*]const f32,
    tokens: usize,
    sequence_tokens: usize,
    heads: usize,
    head_dim: usize,
    backward: u32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ x, table }) or !arguments.areSizes(&.{ tokens, heads, head_dim }) or
        !arguments.areSizes(&.{ sequence_tokens, head_dim }) or tokens % sequence_tokens != 0 or
        head_dim % 2 != 0 or backward > 1) return Status.argument_invalid.code();
    const values = rotary.Arguments(f32){
        .x = x.?,
        .table = table.?,
        .sequence_tokens = sequence_tokens,
        .heads = heads,
        .head_dim = head_dim,
        .direction = if (backward == 1) -1 else 1,
    };
    return context.runUnits(context.table.rotary, &values, tokens, heads * head_dim).code();
}

/// h = silu(gate) * up, [count]; h may be gate or up.
pub export fn sherry_train_swiglu_forward(
    pointer: ?*TrainingContext,
    gate: ?[*]const f32,
    up: ?[*]const f32,
    count: usize,
    h: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ gate, up, h }) or !arguments.areSizes(&.{count})) return Status.argument_invalid.code();
    const values = swiglu.Arguments(f32){ .gate = gate.?, .up = up.?, .h = h.? };
    return context.runUnits(context.table.swiglu_forward, &values, count, exponential_work).code();
}

/// dgate and dup, replaced; they may be the gate and up that they belong to.
pub export fn sherry_train_swiglu_backward(
    pointer: ?*TrainingContext,
    dh: ?[*]const f32,
    gate: ?[*]const f32,
    up: ?[*]const f32,
    count: usize,
    dgate: ?[*]f32,
    dup: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ dh, gate, up, dgate, dup }) or !arguments.areSizes(&.{count})) {
        return Status.argument_invalid.code();
    }
    const values = swiglu.Arguments(f32){ .gate = gate.?, .up = up.?, .dh = dh.?, .dgate = dgate.?, .dup = dup.? };
    return context.runUnits(context.table.swiglu_backward, &values, count, exponential_work).code();
}

/// x [N, C] = the rows `ids` u32 [N] of table [V, C].
pub export fn sherry_train_embedding_forward(
    pointer: ?*TrainingContext,
    table: ?[*]const f32,
    vocabulary: usize,
    width: usize,
    ids: ?[*]const u32,
    tokens: usize,
    x: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ table, ids, x }) or !areRows(ids.?, tokens, vocabulary, width)) {
        return Status.argument_invalid.code();
    }
    const values = embedding.Arguments(f32){ .ids = ids.?, .tokens = tokens, .width = width, .table = table.?, .x = x.? };
    return context.runUnits(context.table.embedding_forward, &values, tokens, width).code();
}

/// dtable [V, C] += dx [N, C] at the rows `ids`.
pub export fn sherry_train_embedding_backward(
    pointer: ?*TrainingContext,
    dx: ?[*]const f32,
    vocabulary: usize,
    width: usize,
    ids: ?[*]const u32,
    tokens: usize,
    dtable: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ dx, ids, dtable }) or !areRows(ids.?, tokens, vocabulary, width)) {
        return Status.argument_invalid.code();
    }
    const values = embedding.Arguments(f32){ .ids = ids.?, .tokens = tokens, .width = width, .dtable = dtable.?, .dx = dx.? };
    const units = (width + embedding.unit_columns - 1) / embedding.unit_columns;
    return context.runUnits(context.table.embedding_backward, &values, units, tokens * embedding.unit_columns).code();
}

fn areRows(ids: [*]const u32, tokens: usize, vocabulary: usize, width: usize) bool {
    if (!arguments.areSizes(&.{ tokens, width }) or !arguments.areSizes(&.{ vocabulary, width })) return false;
    for (ids[0..tokens]) |id| if (id >= vocabulary) return false;
    return true;
}

/// y += x, [count].
pub export fn sherry_train_add(pointer: ?*TrainingContext, x: ?[*]const f32, count: usize, y: ?[*]f32) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ x, y }) or !arguments.areSizes(&.{count})) return Status.argument_invalid.code();
    const values = elements.Arguments(f32){ .count = count, .x = x.?, .y = y.? };
    return context.runUnits(context.table.add, &values, count, 1).code();
}

/// y = value everywhere, [count].
pub export fn sherry_train_fill(pointer: ?*TrainingContext, value: f32, count: usize, y: ?[*]f32) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{y}) or !arguments.areSizes(&.{count})) return Status.argument_invalid.code();
    const values = elements.Arguments(f32){ .count = count, .value = value, .y = y.? };
    return context.runUnits(context.table.fill, &values, count, 1).code();
}
