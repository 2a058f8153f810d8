//! Matrix products: preparing activations, and y = x W^T for each kind of weight. All sizes are checked against the
//! bytes that the caller says are there, before any kernel runs.
//!
//! Legend: B tokens, K columns (in_features), R rows (out_features).
const std = @import("std");
const format = @import("../format.zig");
const prepared_layout = @import("../kernels/prepared.zig");
const prepare = @import("../kernels/prepare.zig");
const sherry_linear = @import("../kernels/sherry_linear.zig");
const q8_linear = @import("../kernels/q8_linear.zig");
const dense_linear = @import("../kernels/dense_linear.zig");
const embedding = @import("../kernels/embedding.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// Writes the bytes that a prepared buffer for B tokens of K columns takes.
pub export fn sherry_prepared_bytes(tokens: usize, columns: usize, out: ?*usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    const layout = prepared_layout.Layout.init(tokens, columns) orelse return Status.argument_invalid.code();
    slot.* = layout.bytes;
    return Status.ok.code();
}

/// x f32 [B][K] to int8 and tables in `prepared`, aligned to 64. not_finite when x holds an infinity or a NaN.
pub export fn sherry_prepare(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    tokens: usize,
    columns: usize,
    prepared: ?*anyopaque,
    prepared_bytes: usize,
) callconv(.c) i32 {
    return prepareChecked(context_pointer, x, tokens, columns, prepared, prepared_bytes).code();
}

fn prepareChecked(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    tokens: usize,
    columns: usize,
    prepared: ?*anyopaque,
    prepared_bytes: usize,
) Status {
    const context = Context.from(context_pointer) orelse return .argument_invalid;
    const layout = prepared_layout.Layout.init(tokens, columns) orelse return .argument_invalid;
    if (prepared_bytes < layout.bytes) return .argument_invalid;
    const bytes = checks.aligned(u8, prepared) orelse return .argument_invalid;
    const arguments = prepare.Arguments{
        .x = x orelse return .argument_invalid,
        .tokens = tokens,
        .columns = columns,
        .prepared = bytes,
    };
    const status = context.run(context.kernels.prepare, &arguments, tokens * layout.blocks, 8);
    if (status != .ok) return status;
    const scales: [*]const f32 = @ptrCast(@alignCast(bytes + layout.scales_offset));
    for (scales[0 .. tokens * layout.blocks]) |scale| {
        if (!std.math.isFinite(scale)) return .not_finite;
    }
    return .ok;
}

/// A `sherry` tensor times prepared activations: y f32 [B][R].
pub export fn sherry_linear_sherry(
    context_pointer: ?*Context,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    rows: usize,
    columns: usize,
    granularity: u32,
    group_columns: u32,
    scale_element: u32,
    prepared: ?*const anyopaque,
    prepared_bytes: usize,
    tokens: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (granularity > 2 or scale_element > 2) return Status.argument_invalid.code();
    const arguments = sherry_linear.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .rows = rows,
        .columns = columns,
        .granularity = @fromBackingInt(@intCast(granularity)),
        .group_columns = group_columns,
        .scale_element = @fromBackingInt(@intCast(scale_element)),
        .prepared = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code(),
        .tokens = tokens,
        .y = y orelse return Status.argument_invalid.code(),
    };
    const layout = format.SherryLayout.init(rows, columns, arguments.granularity, group_columns, arguments.scale_element) orelse
        return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const function = if (tokens <= prepared_layout.table_tokens_max)
        context.kernels.sherry_table
    else
        context.kernels.sherry_decode;
    return context.run(function, &arguments, layout.tiles, checks.tileGrain(columns, tokens)).code();
}

/// A `q8` tensor times prepared activations: y f32 [B][R].
pub export fn sherry_linear_q8(
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
    const layout = format.Q8Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const arguments = q8_linear.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .rows = rows,
        .columns = columns,
        .prepared = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code(),
        .tokens = tokens,
        .y = y orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.q8_linear, &arguments, rows, checks.rowGrain(columns, tokens)).code();
}

/// A dense tensor (element 0 f32, 1 f16, 2 bf16) times x f32 [B][K]: y f32 [B][R].
pub export fn sherry_linear_dense(
    context_pointer: ?*Context,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    element: u32,
    rows: usize,
    columns: usize,
    x: ?[*]const f32,
    tokens: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (element > 2 or tokens == 0) return Status.argument_invalid.code();
    const kind: format.Element = @fromBackingInt(@intCast(element));
    const bytes = checks.product(&.{ rows, columns, kind.bytes() }) orelse return Status.argument_invalid.code();
    if (weights_bytes < bytes) return Status.argument_invalid.code();
    const arguments = dense_linear.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .element = kind,
        .rows = rows,
        .columns = columns,
        .x = x orelse return Status.argument_invalid.code(),
        .tokens = tokens,
        .y = y orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.dense_linear, &arguments, rows, checks.rowGrain(columns, tokens)).code();
}

/// Rows `ids` (u32 [B], each below `rows`) of an embedding table (kind 0 f32, 1 f16, 2 bf16, 3 q8): out f32 [B][C].
pub export fn sherry_embedding(
    context_pointer: ?*Context,
    table: ?*const anyopaque,
    table_bytes: usize,
    kind: u32,
    rows: usize,
    columns: usize,
    ids: ?[*]const u32,
    tokens: usize,
    out: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (kind > 3 or tokens == 0) return Status.argument_invalid.code();
    const chosen: embedding.Kind = @fromBackingInt(@intCast(kind));
    const bytes = switch (chosen) {
        .f32 => checks.product(&.{ rows, columns, 4 }),
        .f16, .bf16 => checks.product(&.{ rows, columns, 2 }),
        .q8 => if (format.Q8Layout.init(rows, columns)) |layout| layout.bytes else null,
    } orelse return Status.argument_invalid.code();
    if (table_bytes < bytes) return Status.argument_invalid.code();
    const id_list = ids orelse return Status.argument_invalid.code();
    for (id_list[0..tokens]) |id| if (id >= rows) return Status.argument_invalid.code();
    const arguments = embedding.Arguments{
        .table = checks.alignedConst(u8, table) orelse return Status.argument_invalid.code(),
        .kind = chosen,
        .rows = rows,
        .columns = columns,
        .ids = id_list,
        .out = out orelse return Status.argument_invalid.code(),
    };
    return context.run(context.kernels.embedding, &arguments, tokens, 1).code();
}
