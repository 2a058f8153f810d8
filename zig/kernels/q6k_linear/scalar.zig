//! The reference of q6k_linear.zig, in plain loops.
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const q6k_linear = @import("../q6k_linear.zig");

const q6k = format.q6k;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const operands = q6k_linear.Operands.init(@ptrCast(@alignCast(arguments)));
    for (begin..end) |row| for (0..operands.tokens) |token| {
        var sums: [lanes.count]f32 = @splat(0);
        for (0..operands.blocks) |block| {
            const cell = row * operands.blocks + block;
            const token_cell = token * operands.blocks + block;
            const sum = dot(&operands.codes[cell], &operands.sub_scales[cell], &operands.values[token_cell]);
            const weight_scale: f32 = operands.weight_scales[cell];
            sums[block % lanes.count] += @as(f32, @floatFromInt(sum)) * (weight_scale * operands.scales[token_cell]);
        }
        operands.y[token * operands.rows + row] = lanes.fold(sums);
    };
}

fn dot(codes: *const [q6k.codes_bytes]u8, sub_scales: *const [q6k.sub_scales]i8, values: *const [q6k.block_columns]i8) i32 {
    var total: i32 = 0;
    for (0..q6k.sub_scales) |number| {
        var sum: i32 = 0;
        for (values[number * q6k.sub_columns ..][0..q6k.sub_columns], number * q6k.sub_columns..) |value, column| {
            sum += (@as(i32, q6k.code(codes, column)) - q6k.offset) * value;
        }
        total += sum * sub_scales[q6k.subScalePlace(number)];
    }
    return total;
}
