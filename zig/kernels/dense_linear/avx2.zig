//! dense_linear.zig in vectors of eight, several outputs at once: the eight lanes of one output are one chain of
//! dependent operations (four cycles each), so only outputs in flight side by side keep the units busy. One token alone
//! takes four rows, which share its activations; of several avx2_tokens.zig takes care.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const several = @import("avx2_tokens.zig");
const Arguments = @import("../dense_linear.zig").Arguments;

const rows_together = 4;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    switch (a.element) {
        inline else => |element| multiply(element, a, begin, end),
    }
}

fn multiply(comptime element: format.Element, a: *const Arguments, begin: usize, end: usize) void {
    var tile = begin;
    while (tile < end) : (tile += several.tile_rows) multiplyTile(element, a, tile, @min(tile + several.tile_rows, end));
}

/// Some rows, few enough for a cache to keep their weights from one token to the next.
fn multiplyTile(comptime element: format.Element, a: *const Arguments, begin: usize, end: usize) void {
    var token: usize = 0;
    while (a.tokens - token >= several.tokens_least) {
        const together = @min(several.tokens_most, a.tokens - token);
        switch (together) {
            inline several.tokens_least...several.tokens_most => |tokens| several.multiply(element, tokens, a, begin, end, token),
            else => unreachable,
        }
        token += together;
    }
    while (token < a.tokens) : (token += 1) {
        var row = begin;
        while (end - row >= rows_together) : (row += rows_together) block(element, rows_together, a, row, token);
        while (row < end) : (row += 1) block(element, 1, a, row, token);
    }
}

/// The outputs of `rows` rows from `row` for one token. The rows after them are fetched meanwhile: left to the CPU, rows side by
/// side measured up to a fifth slower.
fn block(comptime element: format.Element, comptime rows: usize, a: *const Arguments, row: usize, token: usize) void {
    const columns = a.columns;
    const weights = @as([*]const elements.Stored(element), @ptrCast(a.weights)) + row * columns;
    const x = a.x + token * columns;
    const whole = columns - columns % lanes.count;
    const line_elements = 64 / @sizeOf(elements.Stored(element));
    var sums: [rows]lanes.Lanes = @splat(@splat(0));
    var k: usize = 0;
    while (k < whole) : (k += lanes.count) {
        const values: lanes.Lanes = x[k..][0..lanes.count].*;
        inline for (&sums, 0..) |*sum, r| {
            const at = weights + r * columns + k;
            if (k % line_elements == 0) @prefetch(at + rows_together * columns, .{ .locality = 2 });
            sum.* = @mulAdd(lanes.Lanes, elements.load(element, at), values, sum.*);
        }
    }
    inline for (&sums, 0..) |*sum, r| {
        if (whole < columns) {
            const w = elements.loadPart(element, weights + r * columns + whole, columns - whole);
            sum.* = @mulAdd(lanes.Lanes, w, lanes.loadPart(x + whole, columns - whole), sum.*);
        }
        a.y[token * a.rows + row + r] = lanes.fold(sum.*);
    }
}
