//! split8_upper.zig with AVX2: products of neighbours are added in words, which hold the sums of a block
//! (split8_linear/avx2.zig, bounds).
const rows = @import("x86_rows.zig");
const split8 = @import("../split8_x86.zig");
const x86 = @import("../x86.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    rows.runWith(Arithmetic, arguments, begin, end);
}

const Arithmetic = struct {
    pub const Sums = x86.Words;
    /// With two rows, accumulators and nibbles fill the sixteen registers.
    pub const tokens_together = 4;

    pub inline fn add(sums: *Sums, nibbles: split8.Values, values: split8.Values) void {
        split8.addProducts(sums, nibbles, values);
    }

    pub inline fn integers(sums: Sums) x86.DoubleWords {
        return x86.multiplyAddWords(sums, @splat(1));
    }
};
