//! split8_upper.zig with AVX-512 VNNI: one instruction multiplies, and adds four neighbours to 32 bits.
const x86_rows = @import("x86_rows.zig");
const split8 = @import("../split8_x86.zig");
const x86 = @import("../x86.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    x86_rows.runWith(Arithmetic, arguments, begin, end);
}

const Arithmetic = struct {
    pub const Sums = x86.DoubleWords;
    /// With two rows, accumulators and nibbles fill most of the 32 registers.
    pub const tokens_together = 8;

    pub inline fn add(comptime rows: usize, sums: *[rows]Sums, nibbles: [rows]split8.Values, values: split8.Values) void {
        // The low nibbles of all rows first, so that no product waits for the one before.
        inline for (sums, nibbles) |*row_sums, row| row_sums.* = x86.addProducts(row_sums.*, row.low, values.low);
        inline for (sums, nibbles) |*row_sums, row| row_sums.* = x86.addProducts(row_sums.*, row.high, values.high);
    }

    pub inline fn integers(sums: Sums) x86.DoubleWords {
        return sums;
    }
};
