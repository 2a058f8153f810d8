//! The language model's head as a `split8` tensor (docs/head.md): logits of all rows, or the likeliest rows alone, which
//! mostly costs half the bytes. All sizes are checked against the bytes that the caller says are there.
//!
//! Legend: B tokens, K columns (in_features), R rows (out_features).
const std = @import("std");
const format = @import("../format.zig");
const kernel = @import("../kernels/kernel.zig");
const prepared_layout = @import("../kernels/prepared.zig");
const head_candidates = @import("../kernels/head_candidates.zig");
const coarse_scores = @import("../kernels/split8_coarse.zig");
const coarse_build = @import("../kernels/split8_coarse_build.zig");
const upper = @import("../kernels/split8_upper.zig");
const split8_linear = @import("../kernels/split8_linear.zig");
const token_sums = @import("../kernels/split8_token.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// A `split8` tensor times prepared activations: y f32 [B][R]. out_of_memory when the context's scratch cannot grow.
pub export fn sherry_linear_split8(
    context_pointer: ?*Context,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    rows: usize,
    columns: usize,
    prepared: ?*const anyopaque,
    prepared_bytes: usize,
    tokens: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (!holdsWeights(weights_bytes, rows, columns)) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const activations = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code();
    const blocks = prepared_layout.Layout.init(tokens, columns).?.blocks;
    const bytes = checks.product(&.{ tokens, blocks, @sizeOf(token_sums.Correction) }) orelse
        return Status.argument_invalid.code();
    const table = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code();
    const out = y orelse return Status.argument_invalid.code();
    const scratch = context.scratchOf(bytes) orelse return Status.out_of_memory.code();
    const corrections: [*]token_sums.Correction = @ptrCast(@alignCast(scratch));
    token_sums.correct(activations, tokens, columns, corrections);
    const arguments = split8_linear.Arguments{
        .weights = table,
        .rows = rows,
        .columns = columns,
        .prepared = activations,
        .prepared_tokens = tokens,
        .corrections = corrections,
        .tokens = tokens,
        .list = null,
        .count = rows,
        .y = out,
    };
    return context.run(context.kernels.split8_linear, &arguments, rows, checks.rowGrain(columns, tokens)).code();
}

/// The bytes of the coarse plane of a head [R, K].
pub export fn sherry_head_coarse_bytes(rows: usize, columns: usize, out: ?*usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    const layout = coarse_scores.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    slot.* = layout.bytes;
    return Status.ok.code();
}

/// Makes the coarse plane of a `split8` tensor, aligned to 64.
pub export fn sherry_head_coarse_build(
    context_pointer: ?*Context,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    rows: usize,
    columns: usize,
    coarse: ?*anyopaque,
    coarse_bytes: usize,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (!holdsWeights(weights_bytes, rows, columns)) return Status.argument_invalid.code();
    const layout = coarse_scores.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    if (coarse_bytes < layout.bytes) return Status.argument_invalid.code();
    const arguments = coarse_build.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .rows = rows,
        .columns = columns,
        .coarse = checks.aligned(u8, coarse) orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.split8_coarse_build, &arguments, upper.tileCount(rows), 1).code();
}

/// The likeliest rows for B tokens, `wanted` u32 [B] of them (each 1 .. stride, stride 1 .. R): ids u32 [B][stride] and
/// their logits f32 [B][stride], likeliest first, equal logits by id; the same bits as sherry_linear_split8's, but for a
/// chance of at most wanted * exp(-margin^2 / 2) a token, and the same for a token whatever other tokens are there. The
/// tokens share one pass over the high nibbles. `margin` is 0 .. 64. `counts` [B] receives candidates, rows rescored and 1
/// if all rows had to be, else 0, then the rows that the coarse pass had scored by the high plane and 1 if it had to be
/// given up, else 0. `coarse`, aligned to 64, is a plane that sherry_head_coarse_build made from the same weights, read
/// first for one token with `coarse_margin` 0 .. 64; null: none. What it overlooks has no proven bound. not_finite when an activation scale or a logit is not; then no token has a result.
pub export fn sherry_head_candidates(
    context_pointer: ?*Context,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    rows: usize,
    columns: usize,
    prepared: ?*const anyopaque,
    prepared_bytes: usize,
    tokens: usize,
    margin: f32,
    coarse: ?*const anyopaque,
    coarse_bytes: usize,
    coarse_margin: f32,
    wanted: ?[*]const u32,
    stride: usize,
    ids: ?[*]u32,
    logits: ?[*]f32,
    counts: ?[*]head_candidates.Counts,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (!holdsWeights(weights_bytes, rows, columns)) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    // Written so that NaN fails it.
    if (!(margin >= 0 and margin <= token_sums.margin_max)) return Status.argument_invalid.code();
    const layout = head_candidates.Scratch.init(rows, columns, tokens, stride) orelse
        return Status.argument_invalid.code();
    var coarse_plane: ?head_candidates.Coarse = null;
    if (coarse != null) {
        const coarse_layout = coarse_scores.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
        if (coarse_bytes < coarse_layout.bytes) return Status.argument_invalid.code();
        if (!(coarse_margin >= 0 and coarse_margin <= token_sums.margin_max)) return Status.argument_invalid.code();
        const plane = checks.alignedConst(u8, coarse) orelse return Status.argument_invalid.code();
        coarse_plane = .{ .plane = plane, .margin = coarse_margin };
    }
    const token_wanted = wanted orelse return Status.argument_invalid.code();
    for (token_wanted[0..tokens]) |count| if (count == 0 or count > stride) return Status.argument_invalid.code();
    const activations = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code();
    const table = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code();
    const out_ids = ids orelse return Status.argument_invalid.code();
    const out_logits = logits orelse return Status.argument_invalid.code();
    const out_counts = counts orelse return Status.argument_invalid.code();
    if (!hasFiniteScales(activations, tokens, columns)) return Status.not_finite.code();
    const scratch = context.scratchOf(layout.bytes) orelse return Status.out_of_memory.code();
    const kernels = head_candidates.Kernels{
        .linear = context.kernels.split8_linear,
        .upper = context.kernels.split8_upper,
        .coarse = context.kernels.split8_coarse,
        .prepare = context.kernels.prepare,
    };
    head_candidates.run(Executor{ .context = context, .columns = columns }, kernels, .{
        .weights = table,
        .rows = rows,
        .columns = columns,
        .prepared = activations,
        .tokens = tokens,
        .margin = margin,
        .coarse = coarse_plane,
        .scratch = scratch,
        .wanted = token_wanted,
        .stride = stride,
        .ids = out_ids,
        .logits = out_logits,
        .counts = out_counts,
    }) catch |cause| return switch (cause) {
        error.Busy => Status.busy.code(),
        error.NotFinite => Status.not_finite.code(),
    };
    return Status.ok.code();
}

/// Runs kernels on the context's threads.
const Executor = struct {
    context: *Context,
    columns: usize,

    pub fn run(
        self: Executor,
        function: *const kernel.Run,
        arguments: *const anyopaque,
        units: usize,
        rows_a_unit: usize,
    ) error{Busy}!void {
        const grain = @max(1, checks.rowGrain(self.columns, 1) / rows_a_unit);
        if (self.context.run(function, arguments, units, grain) != .ok) return error.Busy;
    }
};

fn holdsWeights(bytes: usize, rows: usize, columns: usize) bool {
    const layout = format.split8.Layout.init(rows, columns) orelse return false;
    return bytes >= layout.bytes;
}

fn hasFiniteScales(activations: [*]align(64) const u8, tokens: usize, columns: usize) bool {
    const layout = prepared_layout.Layout.init(tokens, columns).?;
    const scales: [*]const f32 = @ptrCast(@alignCast(activations + layout.scales_offset));
    for (scales[0 .. tokens * layout.blocks]) |scale| if (!std.math.isFinite(scale)) return false;
    return true;
}
