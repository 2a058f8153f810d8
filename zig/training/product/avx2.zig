//! Matrix product, AVX2 with FMA: both factors packed into strips, a kernel of 6 x 16 sums in twelve registers (Goto and
//! van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). Packing pads with zeros, so that every strip
//! is whole and each element's sum has one order wherever it lies.
const product = @import("../product.zig");
const transposed = @import("../transposition.zig").transposed;

const Arguments = product.Arguments(f32);
const rows_of = product.strip_rows;
const columns_of = product.strip_columns;
const Vector = @Vector(8, f32);
/// Strips of A packed together: 96 rows of at most 256 steps, 96 KiB, which the second-level cache holds.
const block_strips = 16;
/// Steps in depth of a turn of the innermost loop.
const steps = 4;

/// Packs strips `begin`..`end` of B's columns.
pub fn pack(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |strip| {
        const column = strip * columns_of;
        const count = @min(columns_of, a.columns - column);
        const target = a.packed_b + strip * a.depth_count * columns_of;
        const source = a.b + a.depth_begin * a.b_depth + column * a.b_column;
        packStrip(columns_of, source, a.b_column, a.b_depth, count, a.depth_count, target);
    }
}

/// `target` [depth][width]: element i of step d is source[i * across + d * along], zero for i >= count.
inline fn packStrip(
    comptime width: usize,
    source: [*]const f32,
    across: usize,
    along: usize,
    count: usize,
    depth: usize,
    target: [*]f32,
) void {
    if (count < width) {
        for (0..depth) |d| {
            const step = target[d * width ..][0..width];
            @memset(step, 0);
            for (step[0..count], 0..) |*value, i| value.* = source[i * across + d * along];
        }
        return;
    }
    if (across == 1) {
        for (0..depth) |d| target[d * width ..][0..width].* = source[d * along ..][0..width].*;
        return;
    }
    var d: usize = 0;
    // Along the depth: eight steps at once through a transposition, while eight values may be written from the last one.
    if (along == 1) while (d + 16 <= depth) : (d += 8) {
        inline for (0..(width + 7) / 8) |part| {
            var rows: [8]Vector = @splat(@splat(0));
            inline for (&rows, 0..) |*row, i| if (part * 8 + i < width) {
                row.* = source[(part * 8 + i) * across + d ..][0..8].*;
            };
            // Where a strip is narrower than a vector, the next step overwrites what is too much.
            inline for (transposed(rows), 0..) |column, step| target[(d + step) * width + part * 8 ..][0..8].* = column;
        }
    };
    while (d < depth) : (d += 1) {
        inline for (0..width) |i| target[d * width + i] = source[i * across + d * along];
    }
}

/// Computes strips `begin`..`end` of C's rows for the packed part of the depth.
pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    var packed_a: [block_strips * rows_of * product.depth_block]f32 align(64) = undefined;
    const strips = (a.columns + columns_of - 1) / columns_of;
    var first = begin;
    while (first < end) : (first += block_strips) {
        const last = @min(end, first + block_strips);
        for (first..last) |strip| {
            const row = strip * rows_of;
            const source = a.a + row * a.a_row + a.depth_begin * a.a_depth;
            const target = packed_a[(strip - first) * rows_of * a.depth_count ..].ptr;
            packStrip(rows_of, source, a.a_row, a.a_depth, @min(rows_of, a.rows - row), a.depth_count, target);
        }
        for (0..strips) |column_strip| {
            const right = a.packed_b + column_strip * a.depth_count * columns_of;
            for (first..last) |strip| {
                const left = packed_a[(strip - first) * rows_of * a.depth_count ..].ptr;
                computeTile(a, strip * rows_of, column_strip * columns_of, left, right);
            }
        }
    }
}

inline fn computeTile(a: *const Arguments, row: usize, column: usize, left: [*]const f32, right: [*]const f32) void {
    const row_count = @min(rows_of, a.rows - row);
    // C's lines come while the sums are computed.
    inline for (0..rows_of) |i| @prefetch(a.c + (row + @min(i, row_count - 1)) * a.columns + column, .{ .rw = .write });
    const sums = multiply(a.depth_count, left, right);
    const adds = a.accumulate != 0 or a.depth_begin != 0;
    const scale: Vector = @splat(a.scale);
    if (column + columns_of <= a.columns) {
        inline for (0..rows_of) |i| if (i < row_count) {
            const out = a.c + (row + i) * a.columns + column;
            inline for (0..2) |half| {
                const cell = out[half * 8 ..][0..8];
                const sum = sums[i][half] * scale;
                cell.* = if (adds) @as(Vector, cell.*) + sum else sum;
            }
        };
        return;
    }
    for (0..row_count) |i| {
        const out = a.c[(row + i) * a.columns + column .. (row + i + 1) * a.columns];
        const scaled: [2][8]f32 = .{ sums[i][0] * scale, sums[i][1] * scale };
        for (out, 0..) |*cell, j| cell.* = if (adds) cell.* + scaled[j / 8][j % 8] else scaled[j / 8][j % 8];
    }
}

/// The 6 x 16 sums over `depth` steps of two packed strips.
inline fn multiply(depth: usize, left: [*]const f32, right: [*]const f32) [rows_of][2]Vector {
    var sums: [rows_of][2]Vector = @splat(@splat(@splat(0)));
    var d: usize = 0;
    while (d + steps <= depth) : (d += steps) {
        inline for (0..steps) |step| addStep(&sums, left + (d + step) * rows_of, right + (d + step) * columns_of);
    }
    while (d < depth) : (d += 1) addStep(&sums, left + d * rows_of, right + d * columns_of);
    return sums;
}

inline fn addStep(sums: *[rows_of][2]Vector, left: [*]const f32, right: [*]const f32) void {
    const first: Vector = right[0..8].*;
    const second: Vector = right[8..16].*;
    inline for (sums, 0..) |*row, i| {
        const factor: Vector = @splat(left[i]);
        row[0] = @mulAdd(Vector, factor, first, row[0]);
        row[1] = @mulAdd(Vector, factor, second, row[1]);
    }
}
