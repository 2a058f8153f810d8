//! split8_upper.zig with AVX-512 VNNI: one instruction multiplies, and adds four neighbours to 32 bits.
const rows = @import("x86_rows.zig");
const split8 = @import("../split8_x86.zig");
const x86 = @import("../x86.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    rows.runWith(Arithmetic, arguments, begin, end);
}

const Arithmetic = struct {
    pub const Sums = x86.DoubleWords;
    /// With two rows, accumulators and nibbles fill most of the 32 registers.
    pub const tokens_together = 8;

    pub inline fn add(sums: *Sums, nibbles: split8.Values, values: split8.Values) void {
        sums.* = x86.addProducts(x86.addProducts(sums.*, nibbles.low, values.low), nibbles.high, values.high);
    }

    pub inline fn integers(sums: Sums) x86.DoubleWords {
        return sums;
    }
};
