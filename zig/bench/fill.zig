//! Contents for benches, quickly: pseudo-random bytes, either any bytes or bytes that mean something to every kernel.
//! The generator is SplitMix64 (Steele, Lea, Flood 2014): word i depends on seed and i alone.
const std = @import("std");

pub const Pattern = enum(u32) {
    any = 0,
    /// Every pair of bits is 0, 1 or 2, so that bytes are codes of the 2-bit baseline; every odd byte begins with
    /// s010, so that two bytes are an f16 of magnitude 2^-7 to 2^-4, and two or four bytes a bf16 or f32 of
    /// magnitude 2^-63 to 2^-41. Such bytes are weights, scales, keys and values of every kind.
    every_kernel = 1,
};

pub fn fill(bytes: []align(8) u8, seed: u64, pattern: Pattern) void {
    var index: u64 = 0;
    while ((index + 1) * 8 <= bytes.len) : (index += 1) {
        std.mem.writeInt(u64, bytes[index * 8 ..][0..8], word(seed, index, pattern), .little);
    }
    var last: [8]u8 = undefined;
    std.mem.writeInt(u64, &last, word(seed, index, pattern), .little);
    @memcpy(bytes[index * 8 ..], last[0 .. bytes.len - index * 8]);
}

fn word(seed: u64, index: u64, pattern: Pattern) u64 {
    var mixed = seed +% (index +% 1) *% 0x9e37_79b9_7f4a_7c15;
    mixed = (mixed ^ (mixed >> 30)) *% 0xbf58_476d_1ce4_e5b9;
    mixed = (mixed ^ (mixed >> 27)) *% 0x94d0_49bb_1331_11eb;
    mixed ^= mixed >> 31;
    if (pattern == .any) return mixed;
    // A pair of ones loses its lower one: 3 becomes 2.
    const codes = mixed & ~((mixed >> 1) & 0x5555_5555_5555_5555);
    return (codes & 0x8fff_8fff_8fff_8fff) | 0x2000_2000_2000_2000;
}

test "bytes for every kernel are codes below 3 and halves of the stated magnitude" {
    var bytes: [1003]u8 align(8) = undefined;
    fill(&bytes, 7, .every_kernel);
    for (bytes) |byte| for (0..4) |pair| {
        try std.testing.expect(byte >> @intCast(pair * 2) & 3 != 3);
    };
    for (0..bytes.len / 2) |i| {
        const half: f16 = @bitCast(std.mem.readInt(u16, bytes[i * 2 ..][0..2], .little));
        try std.testing.expect(@abs(half) >= 0x1p-7 and @abs(half) < 0x1p-4);
    }
    for (0..bytes.len / 4) |i| {
        const float: f32 = @bitCast(std.mem.readInt(u32, bytes[i * 4 ..][0..4], .little));
        try std.testing.expect(@abs(float) >= 0x1p-63 and @abs(float) < 0x1p-41);
    }
}

test "the same seed gives the same bytes, another seed others" {
    var a: [64]u8 align(8) = undefined;
    var b: [64]u8 align(8) = undefined;
    fill(&a, 1, .any);
    fill(&b, 1, .any);
    try std.testing.expectEqualSlices(u8, &a, &b);
    fill(&b, 2, .any);
    try std.testing.expect(!std.mem.eql(u8, &a, &b));
}
