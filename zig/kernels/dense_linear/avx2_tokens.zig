//! dense_linear.zig for several tokens: the activations of some columns are laid out anew, all tokens' vectors of eight
//! columns side by side, and used for many rows. Read where they lie, which for the usual numbers of columns is multiples
//! of 4096 bytes apart, eight tokens measured a fifth slower.
//!
//! One row at a time: its sums, a vector for each token, are chains of operations enough to keep the units busy, and leave
//! registers in AVX2's sixteen.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const Arguments = @import("../dense_linear.zig").Arguments;

/// With fewer tokens the units wait, and rows side by side are faster.
pub const tokens_least = 4;
pub const tokens_most = 8;
/// Rows that share one new layout of the activations.
pub const tile_rows = 64;
/// Half of a first-level cache of 32 KiB with eight tokens.
const chunk_columns = 512;
/// How many rows ahead of use weights are fetched: they lie too far apart for the CPU to foresee.
const rows_ahead = 4;

/// The outputs of rows `begin` .. `end`, at most `tile_rows`, for `tokens` tokens from `token` on.
pub fn multiply(
    comptime element: format.Element,
    comptime tokens: usize,
    a: *const Arguments,
    begin: usize,
    end: usize,
    token: usize,
) void {
    var chunk: Chunk(tokens) = undefined;
    var sums: [tile_rows][tokens]lanes.Lanes = @splat(@splat(@splat(0)));
    var column: usize = 0;
    while (column < a.columns) : (column += chunk_columns) {
        const columns = @min(chunk_columns, a.columns - column);
        chunk.fill(a.x + token * a.columns + column, a.columns, columns);
        for (sums[0 .. end - begin], begin..) |*of_row, row| addRow(element, tokens, a, row, column, columns, &chunk, of_row);
    }
    for (sums[0 .. end - begin], begin..) |of_row, row| {
        inline for (of_row, token..) |sum, t| a.y[t * a.rows + row] = lanes.fold(sum);
    }
}

/// Some columns' activations, eight columns after eight columns, in each token after token.
fn Chunk(comptime tokens: usize) type {
    return struct {
        steps: [chunk_columns / lanes.count][tokens]lanes.Lanes,

        /// `x`: the first token's; the next one's lie `stride` elements further. Past the last column are zeros.
        fn fill(self: *@This(), x: [*]const f32, stride: usize, columns: usize) void {
            const whole = columns / lanes.count;
            const rest = columns % lanes.count;
            for (0..tokens) |t| {
                for (self.steps[0..whole], 0..) |*step, i| step[t] = x[t * stride + i * lanes.count ..][0..lanes.count].*;
                if (rest > 0) self.steps[whole][t] = lanes.loadPart(x + t * stride + whole * lanes.count, rest);
            }
        }
    };
}

/// Adds the products of a row's `columns` columns from `column` on.
inline fn addRow(
    comptime element: format.Element,
    comptime tokens: usize,
    a: *const Arguments,
    row: usize,
    column: usize,
    columns: usize,
    chunk: *const Chunk(tokens),
    sums: *[tokens]lanes.Lanes,
) void {
    const weights = @as([*]const elements.Stored(element), @ptrCast(@alignCast(a.weights))) + row * a.columns + column;
    const whole = columns / lanes.count;
    const rest = columns % lanes.count;
    const steps_a_line = 64 / (lanes.count * @sizeOf(elements.Stored(element)));
    var running = sums.*;
    for (chunk.steps[0..whole], 0..) |*step, i| {
        const at = weights + i * lanes.count;
        if (i % steps_a_line == 0) @prefetch(at + rows_ahead * a.columns, .{});
        const w = elements.load(element, at);
        inline for (&running, step) |*sum, values| sum.* = @mulAdd(lanes.Lanes, w, values, sum.*);
    }
    if (rest > 0) {
        const w = elements.loadPart(element, weights + whole * lanes.count, rest);
        inline for (&running, chunk.steps[whole]) |*sum, values| sum.* = @mulAdd(lanes.Lanes, w, values, sum.*);
    }
    sums.* = running;
}
