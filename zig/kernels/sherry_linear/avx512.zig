//! sherry_linear.zig's contract with AVX-512: one token by digits, several by words, as prepare/avx512.zig has made their
//! tables.
const digits = @import("avx512_digits.zig");
const sherry_linear = @import("../sherry_linear.zig");
const tiles = @import("x86_tiles.zig");
const words = @import("avx512_words.zig");

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const arguments: *const sherry_linear.Arguments = @ptrCast(@alignCast(raw));
    if (arguments.round_tokens == 1) tiles.runWith(digits, raw, begin, end) else tiles.runWith(words, raw, begin, end);
}
