//! The reference of int4_linear.zig, in plain loops.
const format = @import("../../format.zig");
const int4_linear = @import("../int4_linear.zig");

const int4 = format.int4;
const block_groups = format.activation_block_columns / int4.group_columns;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = int4_linear.Operands.init(@ptrCast(@alignCast(arguments)));
    for (begin..end) |tile| {
        const first_row = tile * int4.tile_rows;
        for (first_row..@min(first_row + int4.tile_rows, operands.rows)) |row| {
            for (0..operands.tokens) |token| operands.y[token * operands.rows + row] = dot(operands, row, token);
        }
    }
}

fn dot(operands: int4_linear.Operands, row: usize, token: usize) f32 {
    var y: f32 = 0;
    for (0..operands.layout.groups) |group| {
        const column = group * int4.group_columns;
        const chunk_number = row / int4.tile_rows * operands.layout.groups + group;
        const chunk = operands.codes[chunk_number * int4.chunk_bytes ..][0..int4.chunk_bytes];
        const cell = token * operands.activation_blocks + group / block_groups;
        const values = operands.values + cell * format.activation_block_columns + column % format.activation_block_columns;
        var sum: i32 = 0;
        for (0..@min(int4.group_columns, operands.columns - column)) |within| {
            sum += @as(i32, int4.value(chunk, row % int4.tile_rows, within)) * values[within];
        }
        const weight_scale: f32 = operands.weight_scales[operands.layout.scaleIndex(row, group)];
        y += @as(f32, @floatFromInt(sum)) * (weight_scale * operands.scales[cell]);
    }
    return y;
}
