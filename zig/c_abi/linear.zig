//! Matrix products: preparing activations, and y = x W^T for each kind of weight. All sizes are checked against the
//! bytes that the caller says are there, before any kernel runs.
//!
//! Legend: B tokens, K columns (in_features), R rows (out_features).
const std = @import("std");
const format = @import("../format.zig");
const prepared_layout = @import("../kernels/prepared.zig");
const sum_tables = @import("../kernels/sum_tables.zig");
const prepare = @import("../kernels/prepare.zig");
const sherry_linear = @import("../kernels/sherry_linear.zig");
const q8_linear = @import("../kernels/q8_linear.zig");
const q6k_linear = @import("../kernels/q6k_linear.zig");
const int4_linear = @import("../kernels/int4_linear.zig");
const dense_linear = @import("../kernels/dense_linear.zig");
const embedding = @import("../kernels/embedding.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// Activation blocks that are worth a thread: about a microsecond of work.
const prepare_grain = 8;

/// The stamp given last.
var last_stamp = std.atomic.Value(u64).init(0);

/// Gives prepared activations a stamp of their own (prepared.Layout.stamp_offset).
fn stamp(place: [*]u8) void {
    std.mem.writeInt(u64, place[0..8], last_stamp.fetchAdd(1, .monotonic) + 1, .little);
}

/// Writes the bytes that a prepared buffer for B tokens of K columns takes.
pub export fn sherry_prepared_bytes(tokens: usize, columns: usize, out: ?*usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    const layout = prepared_layout.Layout.init(tokens, columns) orelse return Status.argument_invalid.code();
    slot.* = layout.bytes;
    return Status.ok.code();
}

/// x f32 [B][K] to int8 and tables in `prepared`, aligned to 64, the columns in the order (0 natural, 1 strided: K is a
/// multiple of 64) of the weights that will read them. not_finite when x holds an infinity or a NaN.
pub export fn sherry_prepare(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    tokens: usize,
    columns: usize,
    column_order: u32,
    prepared: ?*anyopaque,
    prepared_bytes: usize,
) callconv(.c) i32 {
    return prepareChecked(context_pointer, x, tokens, columns, column_order, prepared, prepared_bytes).code();
}

fn prepareChecked(
    context_pointer: ?*Context,
    x: ?[*]const f32,
    tokens: usize,
    columns: usize,
    column_order: u32,
    prepared: ?*anyopaque,
    prepared_bytes: usize,
) Status {
    const context = Context.from(context_pointer) orelse return .argument_invalid;
    if (column_order > 1) return .argument_invalid;
    const order: format.ColumnOrder = @fromBackingInt(@intCast(column_order));
    if (order == .strided and columns % format.stride_columns != 0) return .argument_invalid;
    const layout = prepared_layout.Layout.init(tokens, columns) orelse return .argument_invalid;
    if (prepared_bytes < layout.bytes) return .argument_invalid;
    const bytes = checks.aligned(u8, prepared) orelse return .argument_invalid;
    const arguments = prepare.Arguments{
        .x = x orelse return .argument_invalid,
        .tokens = tokens,
        .columns = columns,
        .column_order = order,
        .prepared = bytes,
    };
    stamp(bytes + layout.stamp_offset);
    const status = context.run(context.kernels.prepare, &arguments, tokens * layout.blocks, prepare_grain);
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
    const prepared_start = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code();
    var arguments = sherry_linear.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .rows = rows,
        .columns = columns,
        .granularity = @fromBackingInt(@intCast(granularity)),
        .group_columns = group_columns,
        .scale_element = @fromBackingInt(@intCast(scale_element)),
        .prepared = prepared_start,
        .tokens = tokens,
        .first_block = undefined,
        .block_end = undefined,
        .own_tables = undefined,
        .y = y orelse return Status.argument_invalid.code(),
    };
    const layout = format.SherryLayout.init(rows, columns, arguments.granularity, group_columns, arguments.scale_element) orelse
        return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const blocks = std.math.divCeil(usize, columns, format.activation_block_columns) catch return Status.argument_invalid.code();
    const blocks_together = @min(blocks, sherry_linear.blocksTogether(tokens));
    arguments.own_tables = context.tablesOf(tokens, blocks_together) catch |cause| return switch (cause) {
        error.Busy => Status.busy.code(),
        error.OutOfMemory => Status.out_of_memory.code(),
    };
    const groups = std.math.divCeil(usize, tokens, sum_tables.group_tokens) catch return Status.argument_invalid.code();
    const units = std.math.mul(usize, groups, layout.tiles) catch return Status.argument_invalid.code();
    const columns_together = blocks_together * format.activation_block_columns;
    const grain = checks.tileGrain(@min(columns, columns_together), @min(tokens, sum_tables.group_tokens));
    var block: usize = 0;
    while (block < blocks) : (block = arguments.block_end) {
        arguments.first_block = block;
        arguments.block_end = @min(block + blocks_together, blocks);
        const status = context.run(context.kernels.sherry_linear, &arguments, units, grain);
        if (status != .ok) return status.code();
    }
    return Status.ok.code();
}

/// The arguments of a product with prepared activations; null when a pointer is null or misaligned.
fn integerArguments(
    comptime Arguments: type,
    weights: ?*const anyopaque,
    rows: usize,
    columns: usize,
    prepared: ?*const anyopaque,
    tokens: usize,
    y: ?[*]f32,
) ?Arguments {
    return .{
        .weights = checks.alignedConst(u8, weights) orelse return null,
        .rows = rows,
        .columns = columns,
        .prepared = checks.alignedConst(u8, prepared) orelse return null,
        .tokens = tokens,
        .y = y orelse return null,
    };
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
    const arguments = integerArguments(q8_linear.Arguments, weights, rows, columns, prepared, tokens, y) orelse
        return Status.argument_invalid.code();
    return context.run(context.kernels.q8_linear, &arguments, rows, checks.rowGrain(columns, tokens)).code();
}

/// A `q6k` tensor (K a multiple of 256) times activations prepared in natural order: y f32 [B][R].
pub export fn sherry_linear_q6k(
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
    const layout = format.q6k.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const arguments = integerArguments(q6k_linear.Arguments, weights, rows, columns, prepared, tokens, y) orelse
        return Status.argument_invalid.code();
    return context.run(context.kernels.q6k_linear, &arguments, rows, checks.rowGrain(columns, tokens)).code();
}

/// An `int4` tensor times activations prepared in natural order: y f32 [B][R].
pub export fn sherry_linear_int4(
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
    const layout = format.int4.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes) return Status.argument_invalid.code();
    if (!checks.holdsPrepared(prepared_bytes, tokens, columns)) return Status.argument_invalid.code();
    const arguments = integerArguments(int4_linear.Arguments, weights, rows, columns, prepared, tokens, y) orelse
        return Status.argument_invalid.code();
    const grain = checks.rowGrain(columns, tokens) / format.int4.tile_rows;
    return context.run(context.kernels.int4_linear, &arguments, layout.tiles, @max(1, grain)).code();
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

/// Rows `ids` (u32 [B], each below `rows`) of an embedding table (kind as in embedding.Kind): out f32 [B][C].
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
    if (kind >= std.enums.values(embedding.Kind).len or tokens == 0) return Status.argument_invalid.code();
    const chosen: embedding.Kind = @fromBackingInt(@intCast(kind));
    const bytes = embedding.tableBytes(chosen, rows, columns) orelse return Status.argument_invalid.code();
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
