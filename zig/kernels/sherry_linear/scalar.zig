//! sherry_linear.zig's contract, one weight after another: the reference, and what runs where no variant fits. Reads
//! the codes, the scales and the int8 values, no tables.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const sherry_linear = @import("../sherry_linear.zig");
const sum_tables = @import("../sum_tables.zig");

const Operands = sherry_linear.Operands;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = Operands.init(@ptrCast(@alignCast(arguments)));
    for (begin..end) |unit| {
        const part = operands.part(unit, unit + 1);
        const first_row = part.begin * format.tile_rows;
        for (first_row..@min(first_row + format.tile_rows, operands.rows)) |row| computeRow(part.group, row);
    }
}

/// One row for all tokens of the group. The outputs themselves hold the running totals.
fn computeRow(operands: Operands, row: usize) void {
    const first_token = operands.first_token;
    const token_end = first_token + operands.group_tokens;
    if (operands.first_block == 0) {
        for (first_token..token_end) |token| operands.y[token * operands.rows + row] = 0;
    }
    for (operands.first_block..operands.block_end) |block| {
        const sums = sumBlock(operands, row, block);
        for (sums[0..operands.group_tokens], first_token..) |sum, token| {
            const total = &operands.y[token * operands.rows + row];
            total.* = @mulAdd(f32, sum, operands.activation_scales[token * operands.activation_blocks + block], total.*);
        }
    }
    if (operands.granularity == .group or !operands.isLast()) return;
    for (first_token..token_end) |token| operands.y[token * operands.rows + row] *= scaleAt(operands, row, 0);
}

/// The sums of an activation block for all tokens of the group, weighted when the scales are of groups.
fn sumBlock(operands: Operands, row: usize, block: usize) [sum_tables.group_tokens]f32 {
    var sums: [sum_tables.group_tokens]f32 = undefined;
    var first_column = block * format.activation_block_columns;
    const column_end = @min(first_column + format.activation_block_columns, operands.columns);
    var is_first = true;
    while (first_column < column_end) : (first_column += operands.segment_columns) {
        var weights: [format.activation_block_columns]i8 = undefined;
        const count = @min(operands.segment_columns, column_end - first_column);
        decodeSegment(operands, row, first_column, weights[0..count]);
        for (sums[0..operands.group_tokens], operands.first_token..) |*of_token, token| {
            const values = operands.values + token * operands.padded_columns + first_column;
            var integer: i32 = 0;
            for (weights[0..count], values[0..count]) |weight, value| integer += @as(i32, weight) * value;
            const sum: f32 = @floatFromInt(integer);
            if (operands.granularity != .group) {
                of_token.* = sum;
            } else {
                const scale = scaleAt(operands, row, first_column);
                of_token.* = if (is_first) sum * scale else @mulAdd(f32, sum, scale, of_token.*);
            }
        }
        is_first = false;
    }
    return sums;
}

/// The four weights of each of the 32 codes.
const decoded: [2][16][format.block_columns]i8 = codes: {
    var weights: [2][16][format.block_columns]i8 = undefined;
    for (&weights, 0..) |*of_sign, negative| {
        for (of_sign, 0..) |*block, index| {
            block.* = format.decode(.{ .index = @intCast(index), .negative = @intCast(negative) });
        }
    }
    break :codes weights;
};

/// The weights of `row` from `first_column` on, as many as `weights` has room for (a multiple of four).
fn decodeSegment(operands: Operands, row: usize, first_column: usize, weights: []i8) void {
    const half = row % format.tile_rows / format.vector_bytes;
    const byte = format.byteOfRow(row % format.tile_rows);
    for (0..weights.len / format.block_columns) |number| {
        const block = first_column / format.block_columns + number;
        const chunk = operands.codes + operands.chunkOffset(row / format.tile_rows, block / format.chunk_blocks);
        const position = block % format.chunk_blocks;
        const indexes = chunk[position * format.vector_bytes + byte];
        const signs = chunk[format.chunk_signs_offset + half * format.vector_bytes + byte];
        const index: u4 = @truncate(if (half == 0) indexes else indexes >> 4);
        const negative: u1 = @truncate(signs >> @intCast(format.chunk_blocks - 1 - position));
        weights[number * format.block_columns ..][0..format.block_columns].* = decoded[negative][index];
    }
}

fn scaleAt(operands: Operands, row: usize, column: usize) f32 {
    const index = operands.layout.scaleIndex(operands.granularity, operands.segment_columns, row, column);
    switch (operands.scale_element) {
        inline else => |element| {
            const scales: [*]const elements.Stored(element) = @ptrCast(@alignCast(operands.scales));
            return elements.widen(element, scales[index]);
        },
    }
}
