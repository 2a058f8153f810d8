//! sherry_linear.zig's contract with AVX-512: one token by digits, several by words.
const tiles = @import("x86_tiles.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    tiles.runWith(struct {
        pub const one = @import("avx512_digits.zig");
        pub const several = @import("avx512_words.zig");
        pub const fillBlock = @import("../sum_tables/avx512.zig").fillBlock;
    }, arguments, begin, end);
}
