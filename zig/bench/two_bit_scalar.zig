//! two_bit.zig in plain Zig: the reference.
const two_bit = @import("two_bit.zig");

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const two_bit.Arguments = @ptrCast(@alignCast(raw));
    const layout = two_bit.Layout.init(a.rows, a.columns).?;
    const head = two_bit.headOf(a);
    const values: [*]const i8 = @ptrCast(a.prepared);
    const first_row = @min(begin * two_bit.group_rows, a.rows);
    for (first_row..@min(end * two_bit.group_rows, a.rows)) |row| {
        const group = row / two_bit.group_rows;
        var sum: i32 = 0;
        for (0..layout.chunks) |chunk| {
            const vector = (group * layout.chunks + chunk) * two_bit.group_rows + row % two_bit.group_rows;
            const bytes = a.weights[vector * two_bit.vector_bytes ..][0..two_bit.vector_bytes];
            const x = values[chunk * two_bit.chunk_columns ..][0..two_bit.chunk_columns];
            for (bytes, 0..) |byte, i| {
                inline for (0..4) |plane| {
                    sum += @as(i32, byte >> (2 * plane) & 3) * x[plane * two_bit.vector_bytes + i];
                }
            }
        }
        a.y[row] = two_bit.output(a, head, sum);
    }
}
