//! split8_upper.zig with AVX2: products of neighbours are added in words, which hold the sums of a block
//! (split8_linear/avx2.zig, bounds).
const x86_rows = @import("x86_rows.zig");
const split8 = @import("../split8_x86.zig");
const x86 = @import("../x86.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    x86_rows.runWith(Arithmetic, arguments, begin, end);
}

const Arithmetic = struct {
    pub const Sums = x86.Words;
    /// With two rows, accumulators and nibbles fill the sixteen registers.
    pub const tokens_together = 4;

    pub inline fn add(comptime rows: usize, sums: *[rows]Sums, nibbles: [rows]split8.Values, values: split8.Values) void {
        inline for (sums, nibbles) |*row_sums, row| {
            const with_low = x86.accumulateWords(row_sums.*, x86.multiplyAddBytes(row.low, values.low));
            row_sums.* = x86.accumulateWords(with_low, x86.multiplyAddBytes(row.high, values.high));
        }
    }

    pub inline fn integers(sums: Sums) x86.DoubleWords {
        return x86.multiplyAddWords(sums, @splat(1));
    }
};
