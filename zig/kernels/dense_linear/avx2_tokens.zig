//! dense_linear.zig for several tokens: the activations of some columns are laid out anew, all tokens' vectors of eight
//! columns side by side, and used for many rows. Read where they lie, which for the usual numbers of columns is multiples
//! of 4096 bytes apart, eight tokens measured a fifth slower.
//!
//! Two rows at a time where the registers suffice for their sums, a vector for each token: they share the loads of the
//! activations. With eight tokens, for which AVX-512 alone has the registers, that measured a tenth faster; with four the same.
const builtin = @import("builtin");
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
/// How many rows ahead of use weights are fetched: they lie too far apart for the CPU to foresee. To the second-level cache,
/// since a core keeps more lines on their way there.
const rows_ahead = 16;

/// Vector registers: half of them exist with AVX-512 alone.
const registers = if (builtin.cpu.has(.x86, .avx512vl)) 32 else 16;

/// How many rows' sums and weights fit the registers.
fn rowsTogether(comptime tokens: usize) usize {
    return if (2 * tokens + 2 <= registers) 2 else 1;
}

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
        const rows_together = comptime rowsTogether(tokens);
        var row = begin;
        while (end - row >= rows_together) : (row += rows_together) {
            addRows(element, rows_together, tokens, a, row, column, columns, &chunk, sums[row - begin ..][0..rows_together]);
        }
        while (row < end) : (row += 1) {
            addRows(element, 1, tokens, a, row, column, columns, &chunk, sums[row - begin ..][0..1]);
        }
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

/// Adds the products of `columns` columns from `column` on, for `rows` rows from `row` on.
inline fn addRows(
    comptime element: format.Element,
    comptime rows: usize,
    comptime tokens: usize,
    a: *const Arguments,
    row: usize,
    column: usize,
    columns: usize,
    chunk: *const Chunk(tokens),
    sums: *[rows][tokens]lanes.Lanes,
) void {
    const weights = @as([*]const elements.Stored(element), @ptrCast(@alignCast(a.weights))) + row * a.columns + column;
    const whole = columns / lanes.count;
    const rest = columns % lanes.count;
    const steps_a_line = 64 / (lanes.count * @sizeOf(elements.Stored(element)));
    var running = sums.*;
    for (chunk.steps[0..whole], 0..) |*step, i| {
        var w: [rows]lanes.Lanes = undefined;
        inline for (&w, 0..) |*of_row, number| {
            const at = weights + number * a.columns + i * lanes.count;
            if (i % steps_a_line == 0) @prefetch(at + rows_ahead * a.columns, .{ .locality = 2 });
            of_row.* = elements.load(element, at);
        }
        addStep(rows, tokens, w, step, &running);
    }
    if (rest > 0) {
        var w: [rows]lanes.Lanes = undefined;
        inline for (&w, 0..) |*of_row, number| {
            of_row.* = elements.loadPart(element, weights + number * a.columns + whole * lanes.count, rest);
        }
        addStep(rows, tokens, w, &chunk.steps[whole], &running);
    }
    sums.* = running;
}

/// Adds the products of eight columns.
inline fn addStep(
    comptime rows: usize,
    comptime tokens: usize,
    w: [rows]lanes.Lanes,
    step: *const [tokens]lanes.Lanes,
    sums: *[rows][tokens]lanes.Lanes,
) void {
    inline for (0..tokens) |t| {
        const values = step[t];
        inline for (sums, w) |*of_row, of_weights| of_row[t] = @mulAdd(lanes.Lanes, of_weights, values, of_row[t]);
    }
}
