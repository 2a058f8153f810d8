//! The three matrix products of a linear layer Y [N, R] = X [N, K] W^T, W [R, K] (product.zig). No buffer that is written
//! may overlap one that is read.
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const product = @import("../product.zig");

const Arguments = product.Arguments(f32);

/// y = x w^T.
pub export fn sherry_train_linear_forward(
    pointer: ?*TrainingContext,
    x: ?[*]const f32,
    w: ?[*]const f32,
    tokens: usize,
    rows: usize,
    columns: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    if (!areValid(tokens, rows, columns, .{ x, w, y })) return Status.argument_invalid.code();
    return multiply(pointer, .{
        .a = x.?,
        .b = w.?,
        .c = y.?,
        .rows = tokens,
        .columns = rows,
        .depth = columns,
        .a_row = columns,
        .a_depth = 1,
        .b_depth = 1,
        .b_column = columns,
        .scale = 1,
        .accumulate = 0,
    });
}

/// dx = dy w, or dx += dy w when `accumulate` is 1.
pub export fn sherry_train_linear_backward_input(
    pointer: ?*TrainingContext,
    dy: ?[*]const f32,
    w: ?[*]const f32,
    tokens: usize,
    rows: usize,
    columns: usize,
    accumulate: u32,
    dx: ?[*]f32,
) callconv(.c) i32 {
    if (!areValid(tokens, rows, columns, .{ dy, w, dx }) or accumulate > 1) return Status.argument_invalid.code();
    return multiply(pointer, .{
        .a = dy.?,
        .b = w.?,
        .c = dx.?,
        .rows = tokens,
        .columns = columns,
        .depth = rows,
        .a_row = rows,
        .a_depth = 1,
        .b_depth = columns,
        .b_column = 1,
        .scale = 1,
        .accumulate = accumulate,
    });
}

/// dw += scale dy^T x.
pub export fn sherry_train_linear_backward_weight(
    pointer: ?*TrainingContext,
    dy: ?[*]const f32,
    x: ?[*]const f32,
    tokens: usize,
    rows: usize,
    columns: usize,
    scale: f32,
    dw: ?[*]f32,
) callconv(.c) i32 {
    if (!areValid(tokens, rows, columns, .{ dy, x, dw })) return Status.argument_invalid.code();
    return multiply(pointer, .{
        .a = dy.?,
        .b = x.?,
        .c = dw.?,
        .rows = rows,
        .columns = columns,
        .depth = tokens,
        .a_row = 1,
        .a_depth = rows,
        .b_depth = columns,
        .b_column = 1,
        .scale = scale,
        .accumulate = 1,
    });
}

fn areValid(tokens: usize, rows: usize, columns: usize, pointers: anytype) bool {
    if (!arguments.arePointers(pointers)) return false;
    // With room for the padding of packed strips.
    return arguments.areSizes(&.{ tokens, rows +| 16 }) and arguments.areSizes(&.{ tokens, columns +| 16 }) and
        arguments.areSizes(&.{ rows +| 16, columns +| 16 }) and tokens != 0 and rows != 0 and columns != 0;
}

fn multiply(pointer: ?*TrainingContext, whole: Arguments) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    const pack = context.table.product_pack orelse
        return context.runUnits(context.table.product, &whole, whole.rows, whole.columns *| whole.depth).code();
    var part = whole;
    const scratch = context.scratchOf(product.packedCount(whole.columns, whole.depth) * @sizeOf(f32)) orelse
        return Status.out_of_memory.code();
    part.packed_b = @ptrCast(scratch.ptr);
    const strips = (whole.columns + product.strip_columns - 1) / product.strip_columns;
    const row_strips = (whole.rows + product.strip_rows - 1) / product.strip_rows;
    while (part.depth_begin < whole.depth) : (part.depth_begin += part.depth_count) {
        part.depth_count = @min(product.depth_block, whole.depth - part.depth_begin);
        var status = context.runUnits(pack, &part, strips, product.strip_columns * part.depth_count);
        if (status != .ok) return status.code();
        status = context.run(context.table.product, &part, row_strips, stripGrain(row_strips, whole.columns * part.depth_count));
        if (status != .ok) return status.code();
    }
    return Status.ok.code();
}

/// Strips of rows that a thread takes at least: enough work to wake it for, and as many as make use of a strip of B that
/// has come to the first-level cache, where there are enough to share out.
fn stripGrain(strips: usize, strip_depth_columns: usize) usize {
    const work_min = 65_536 / @max(1, strip_depth_columns);
    return @max(1, work_min, @min(8, strips / 16));
}
