//! two_bit.zig, 128 weights in fourteen instructions: one shift gives two vectors of bytes, in each of which two masks
//! leave codes as they are and codes times four; the latter are divided only after eight chunks are summed.
const x86 = @import("../kernels/x86.zig");
const two_bit = @import("two_bit.zig");

/// Chunks that a 16-bit sum holds: 8 * 2 planes * 2 products * code 8 * 127 = 32512 in `fours`, a quarter in `ones`.
const sum_chunks = 8;
const chunk_bytes = two_bit.group_rows * two_bit.vector_bytes;
/// As far ahead as the product's own kernels read.
const prefetch_bytes = 10240;

const Sums = struct { ones: x86.Words, fours: x86.Words };

comptime {
    if (sum_chunks * 2 * 2 * 8 * two_bit.activation_max > 32767) @compileError("a 16-bit sum would overflow");
}

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const two_bit.Arguments = @ptrCast(@alignCast(raw));
    const layout = two_bit.Layout.init(a.rows, a.columns).?;
    const head = two_bit.headOf(a);
    for (begin..end) |group| {
        const totals = groupSums(a.weights + group * layout.chunks * chunk_bytes, a.prepared, layout.chunks);
        inline for (totals, 0..) |total, i| {
            const row = group * two_bit.group_rows + i;
            if (row < a.rows) a.y[row] = two_bit.output(a, head, @reduce(.Add, total));
        }
    }
}

inline fn groupSums(weights: [*]const u8, values: [*]const u8, chunks: usize) [two_bit.group_rows]x86.DoubleWords {
    var totals: [two_bit.group_rows]x86.DoubleWords = @splat(@splat(0));
    var chunk: usize = 0;
    while (chunk < chunks) {
        const last = @min(chunk + sum_chunks, chunks);
        var sums: [two_bit.group_rows]Sums = @splat(.{ .ones = @splat(0), .fours = @splat(0) });
        while (chunk < last) : (chunk += 1) {
            const w = weights + chunk * chunk_bytes;
            const x = values + chunk * two_bit.chunk_columns;
            x86.prefetch(w, prefetch_bytes);
            x86.prefetch(w, prefetch_bytes + 64);
            inline for (&sums, 0..) |*sum, row| addChunk(sum, x86.load(w + row * two_bit.vector_bytes), x);
        }
        inline for (&totals, sums) |*total, sum| {
            const quarter: x86.Words = sum.fours >> @splat(2);
            total.* += x86.multiplyAddWords(sum.ones +% quarter, @splat(1));
        }
    }
    return totals;
}

inline fn addChunk(sum: *Sums, w: x86.Bytes, x: [*]const u8) void {
    const ones: x86.Bytes = @splat(0x03);
    const fours: x86.Bytes = @splat(0x0c);
    const wide: @Vector(16, u16) = @bitCast(w);
    const upper: x86.Bytes = @bitCast(wide >> @splat(4));
    sum.ones +%= x86.multiplyAddBytes(w & ones, x86.load(x));
    sum.fours +%= x86.multiplyAddBytes(w & fours, x86.load(x + 32));
    sum.ones +%= x86.multiplyAddBytes(upper & ones, x86.load(x + 64));
    sum.fours +%= x86.multiplyAddBytes(upper & fours, x86.load(x + 96));
}
