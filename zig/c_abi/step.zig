//! The rest of a decoder layer: norms, rotary positions, the key-value cache, attention, SwiGLU, residuals; and what
//! turns logits into a choice. Buffer sizes follow from the sizes named; the caller owns every buffer.
//!
//! Legend: B tokens, H query heads, G key-value heads, D head_dim, T cache capacity in positions.
const std = @import("std");
const format = @import("../format.zig");
const rms_norm = @import("../kernels/rms_norm.zig");
const rotary = @import("../kernels/rotary.zig");
const rotary_table = @import("../kernels/rotary_table.zig");
const key_value_store = @import("../kernels/key_value_store.zig");
const attention = @import("../kernels/attention.zig");
const attention_merge = @import("../kernels/attention/merge.zig");
const swiglu = @import("../kernels/swiglu.zig");
const add = @import("../kernels/add.zig");
const softmax = @import("../kernels/softmax.zig");
const argmax = @import("../kernels/argmax.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// Elements of an elementwise operation that one thread takes at least: less is not worth waking a thread.
const element_grain = 16_384;
/// Multiply-adds of scores that one thread takes at least, as many again of values beside them.
const attention_work_min = 32_768;
/// What attention that is cut into spans may take of the context's scratch: a longer context takes several rounds.
const attention_scratch_bytes_max = 1 << 19;
/// Query heads that one thread merges at least.
const merge_grain = 8;

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

/// Keys and values f32 [B][G][D] into the caches [G][T][D] (element 0 f32, 1 f16) at positions start .. start + B.
/// Each cache is `cache_bytes` long.
pub export fn sherry_key_value_store(
    context_pointer: ?*Context,
    keys: ?[*]const f32,
    values: ?[*]const f32,
    tokens: usize,
    key_value_heads: usize,
    head_dim: usize,
    start: usize,
    capacity: usize,
    element: u32,
    key_cache: ?*anyopaque,
    value_cache: ?*anyopaque,
    cache_bytes: usize,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (element > 1 or tokens > capacity or start > capacity - tokens) return Status.argument_invalid.code();
    const kind: format.Element = @fromBackingInt(@intCast(element));
    const bytes = checks.product(&.{ key_value_heads, capacity, head_dim, kind.bytes() }) orelse
        return Status.argument_invalid.code();
    const units = checks.product(&.{ tokens, key_value_heads }) orelse return Status.argument_invalid.code();
    if (cache_bytes < bytes) return Status.argument_invalid.code();
    const arguments = key_value_store.Arguments{
        .keys = keys orelse return Status.argument_invalid.code(),
        .values = values orelse return Status.argument_invalid.code(),
        .heads = key_value_heads,
        .head_dim = head_dim,
        .start = start,
        .capacity = capacity,
        .element = kind,
        .key_cache = checks.aligned(u8, key_cache) orelse return Status.argument_invalid.code(),
        .value_cache = checks.aligned(u8, value_cache) orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.key_value_store, &arguments, units, 64).code();
}

/// Causal attention of q f32 [B][H][D] over caches [G][T][D] that hold positions 0 .. start + B; out f32 [B][H][D].
pub export fn sherry_attention(
    context_pointer: ?*Context,
    q: ?[*]const f32,
    tokens: usize,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    start: usize,
    capacity: usize,
    element: u32,
    key_cache: ?*const anyopaque,
    value_cache: ?*const anyopaque,
    cache_bytes: usize,
    out: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (element > 1 or tokens > capacity or start > capacity - tokens) return Status.argument_invalid.code();
    if (key_value_heads == 0 or heads % key_value_heads != 0) return Status.argument_invalid.code();
    if (head_dim > attention.head_dim_max) return Status.argument_invalid.code();
    const kind: format.Element = @fromBackingInt(@intCast(element));
    const bytes = checks.product(&.{ key_value_heads, capacity, head_dim, kind.bytes() }) orelse
        return Status.argument_invalid.code();
    _ = checks.product(&.{ tokens, heads, head_dim, 4 }) orelse return Status.argument_invalid.code();
    if (cache_bytes < bytes) return Status.argument_invalid.code();
    const arguments = attention.Arguments{
        .q = q orelse return Status.argument_invalid.code(),
        .tokens = tokens,
        .heads = heads,
        .key_value_heads = key_value_heads,
        .head_dim = head_dim,
        .start = start,
        .capacity = capacity,
        .element = kind,
        .key_cache = checks.alignedConst(u8, key_cache) orelse return Status.argument_invalid.code(),
        .value_cache = checks.alignedConst(u8, value_cache) orelse return Status.argument_invalid.code(),
        .scale = @floatCast(1.0 / @sqrt(@as(f64, @floatFromInt(head_dim)))),
        .out = out orelse return Status.argument_invalid.code(),
    };
    return attend(context, arguments).code();
}

/// On all threads; where there are too few units for them, span by span.
fn attend(context: *Context, whole: attention.Arguments) Status {
    const units = whole.units();
    const spans = attention.spansOf(whole.start + whole.tokens);
    const slots = @min(spans, attention_scratch_bytes_max / 4 / whole.slotFloats());
    if (slots < 2 or context.pool.keepsBusy(units)) {
        return context.run(context.kernels.attention, &whole, units, attentionGrain(&whole));
    }
    var arguments = whole;
    const scratch = context.scratchOf(slots * whole.slotFloats() * 4) orelse return .out_of_memory;
    arguments.partials = @ptrCast(scratch);
    while (arguments.nextRound(slots)) {
        var status = context.run(context.kernels.attention, &arguments, units * arguments.spans, 1);
        if (status != .ok) return status;
        status = context.run(&attention_merge.run, &arguments, whole.tokens * whole.heads, merge_grain);
        if (status != .ok) return status;
    }
    return .ok;
}

/// Units that one thread takes at least: over a short context they are not worth waking a thread.
fn attentionGrain(a: *const attention.Arguments) usize {
    const positions = a.start + a.tokens;
    const queries = @min(a.tokens, attention.tile_tokens) * (a.heads / a.key_value_heads);
    return @max(1, attention_work_min / (positions *| queries *| a.head_dim));
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
    return context.run(context.kernels.swiglu, &arguments, count, element_grain / 4).code();
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
