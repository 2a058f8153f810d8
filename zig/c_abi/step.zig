//! The rest of a decoder layer but its attention: norms, rotary positions, SwiGLU, residuals; and what turns logits
//! into a choice. Buffer sizes follow from the sizes named; the caller owns every buffer.
//!
//! Legend: B tokens, D head_dim.
const std = @import("std");
const rms_norm = @import("../kernels/rms_norm.zig");
const rotary = @import("../kernels/rotary.zig");
const rotary_table = @import("../kernels/rotary_table.zig");
const swiglu = @import("../kernels/swiglu.zig");
const add = @import("../kernels/add.zig");
const softmax = @import("../kernels/softmax.zig");
const argmax = @import("../kernels/argmax.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// Elements of an elementwise operation that one thread takes at least: less is not worth waking a thread. With eight tokens of
/// 2,048 elements each thread adds to those that it also norms and prepares.
const element_grain = 8_192;

/// y = x / sqrt(mean(x^2) + epsilon) * weight for each of `vectors` rows of `size`; x and y f32 [vectors][size].
pub export fn sherry_rms_norm(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    weight: ?[*]const f32,
    epsilon: f32,
    vectors: usize,
    size: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    _ = checks.product(&.{ vectors, size, 4 }) orelse return Status.argument_invalid.code();
    const arguments = rms_norm.Arguments{
        .x = x orelse return Status.argument_invalid.code(),
        .weight = weight orelse return Status.argument_invalid.code(),
        .epsilon = epsilon,
        .size = size,
        .y = y orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.rms_norm, &arguments, vectors, 4).code();
}

/// Cosines and sines of positions start .. start + B: f32 [B][2][D/2], from inverse_frequencies f64 [D/2].
pub export fn sherry_rotary_table(
    context_pointer: ?*Context,
    inverse_frequencies: ?[*]const f64,
    pairs: usize,
    start: usize,
    tokens: usize,
    cosines_sines: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    _ = checks.product(&.{ tokens, pairs, 8 }) orelse return Status.argument_invalid.code();
    const arguments = rotary_table.Arguments{
        .inverse_frequencies = inverse_frequencies orelse return Status.argument_invalid.code(),
        .pairs = pairs,
        .start = start,
        .cosines_sines = cosines_sines orelse return Status.argument_invalid.code(),
    };
    return context.run(&rotary_table.run, &arguments, tokens, 8).code();
}

/// Rotates x f32 [B][heads][D] in place. D is even.
pub export fn sherry_rotary(
    context_pointer: ?*Context,
    x: ?[*]f32,
    tokens: usize,
    heads: usize,
    head_dim: usize,
    cosines_sines: ?[*]const f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    const units = checks.product(&.{ tokens, heads }) orelse return Status.argument_invalid.code();
    _ = checks.product(&.{ units, head_dim, 4 }) orelse return Status.argument_invalid.code();
    if (head_dim % 2 != 0) return Status.argument_invalid.code();
    const arguments = rotary.Arguments{
        .x = x orelse return Status.argument_invalid.code(),
        .heads = heads,
        .head_dim = head_dim,
        .cosines_sines = cosines_sines orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.rotary, &arguments, units, 128).code();
}

/// out = silu(gate) * up, f32 [count] each; out may be gate or up.
pub export fn sherry_swiglu(
    context_pointer: ?*Context,
    gate: ?[*]const f32,
    up: ?[*]const f32,
    count: usize,
    out: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (count == 0) return Status.argument_invalid.code();
    const arguments = swiglu.Arguments{
        .gate = gate orelse return Status.argument_invalid.code(),
        .up = up orelse return Status.argument_invalid.code(),
        .out = out orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.swiglu, &arguments, count, element_grain / 2).code();
}

/// x += y, f32 [count] each.
pub export fn sherry_add(context_pointer: ?*Context, x: ?[*]f32, y: ?[*]const f32, count: usize) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (count == 0) return Status.argument_invalid.code();
    const arguments = add.Arguments{
        .x = x orelse return Status.argument_invalid.code(),
        .y = y orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.add, &arguments, count, element_grain).code();
}

/// out = softmax(x) for each of `vectors` rows, f32 [vectors][size]; not_finite when x is not.
pub export fn sherry_softmax(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    vectors: usize,
    size: usize,
    out: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    const count = checks.product(&.{ vectors, size }) orelse return Status.argument_invalid.code();
    const input = x orelse return Status.argument_invalid.code();
    for (input[0..count]) |value| if (!std.math.isFinite(value)) return Status.not_finite.code();
    const arguments = softmax.Arguments{
        .x = input,
        .size = size,
        .out = out orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.softmax, &arguments, vectors, 1).code();
}

/// The index of the largest of x f32 [vectors][size] in each row (the lowest when equal) to index u32 [vectors];
/// not_finite when a row holds an infinity or a NaN.
pub export fn sherry_argmax(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    vectors: usize,
    size: usize,
    index: ?[*]u32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    _ = checks.product(&.{ vectors, size, 4 }) orelse return Status.argument_invalid.code();
    if (size >= argmax.not_finite) return Status.argument_invalid.code();
    const indices = index orelse return Status.argument_invalid.code();
    const arguments = argmax.Arguments{
        .x = x orelse return Status.argument_invalid.code(),
        .size = size,
        .index = indices,
    };
    const status = context.run(context.kernels.argmax, &arguments, vectors, 1);
    if (status != .ok) return status.code();
    for (indices[0..vectors]) |value| if (value == argmax.not_finite) return Status.not_finite.code();
    return Status.ok.code();
}
