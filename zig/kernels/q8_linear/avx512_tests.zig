//! q8_linear/avx512.zig against the scalar level.
const q8_linear = @import("../q8_linear.zig");
const testing = @import("../testing.zig");

test "AVX-512 gives the same bits as scalar: q8_linear" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    try q8_linear.expectVariant(@import("avx512.zig"));
}
