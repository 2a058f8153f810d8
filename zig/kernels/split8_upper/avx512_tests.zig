//! split8_upper/avx512.zig against the scalar level.
const testing = @import("../testing.zig");
const upper = @import("../split8_upper.zig");

test "AVX-512 gives the same bits as scalar: split8_upper" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    const avx512 = @import("avx512.zig");
    try upper.expectVariant(avx512);
    try upper.expectMaxima(avx512);
}
