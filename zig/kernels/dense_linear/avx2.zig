//! dense_linear.zig in vectors of eight, several outputs at once: the eight lanes of one output are one chain of
//! dependent additions (four cycles each), so only outputs in flight side by side keep the adders busy. A block of
//! rows x tokens keeps one vector an output and reads each weight once for its tokens, each activation once for its
//! rows.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const Arguments = @import("../dense_linear.zig").Arguments;

/// For single tokens.
const rows_wide = 4;
/// For many tokens: with `tokens_block` eight sums, which leaves registers for weights and activations.
const rows_narrow = 2;
const tokens_block = 4;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    switch (a.element) {
        inline else => |element| multiply(element, a, begin, end),
    }
}

fn multiply(comptime element: format.Element, a: *const Arguments, begin: usize, end: usize) void {
    var row = begin;
    while (end - row >= rows_wide) : (row += rows_wide) {
        var token: usize = 0;
        while (a.tokens - token >= tokens_block) : (token += tokens_block) {
            inline for (0..rows_wide / rows_narrow) |pair| {
                block(element, rows_narrow, tokens_block, a, row + pair * rows_narrow, token);
            }
        }
        while (token < a.tokens) : (token += 1) block(element, rows_wide, 1, a, row, token);
    }
    while (row < end) : (row += 1) {
        var token: usize = 0;
        while (a.tokens - token >= tokens_block) : (token += tokens_block) {
            block(element, 1, tokens_block, a, row, token);
        }
        while (token < a.tokens) : (token += 1) block(element, 1, 1, a, row, token);
    }
}

/// The outputs of `rows` rows from `row` for `tokens` tokens from `token`.
fn block(
    comptime element: format.Element,
    comptime rows: usize,
    comptime tokens: usize,
    a: *const Arguments,
    row: usize,
    token: usize,
) void {
    const columns = a.columns;
    const weights = @as([*]const elements.Stored(element), @ptrCast(a.weights)) + row * columns;
    const x = a.x + token * columns;
    const whole = columns - columns % lanes.count;
    var sums: [rows][tokens]lanes.Lanes = @splat(@splat(@splat(0)));
    var k: usize = 0;
    while (k < whole) : (k += lanes.count) {
        var w: [rows]lanes.Lanes = undefined;
        inline for (&w, 0..) |*vector, r| vector.* = elements.load(element, weights + r * columns + k);
        inline for (0..tokens) |t| {
            const values: lanes.Lanes = x[t * columns + k ..][0..lanes.count].*;
            inline for (0..rows) |r| sums[r][t] = sums[r][t] + w[r] * values;
        }
    }
    inline for (0..rows) |r| inline for (0..tokens) |t| {
        if (whole < columns) {
            const w = elements.loadPart(element, weights + r * columns + whole, columns - whole);
            sums[r][t] = sums[r][t] + w * lanes.loadPart(x + t * columns + whole, columns - whole);
        }
        a.y[(token + t) * a.rows + row + r] = lanes.fold(sums[r][t]);
    };
}
