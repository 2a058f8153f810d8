//! attention/avx2.zig as the AVX-512 level compiles it, with larger blocks (avx2_products.zig), against the scalar level.
const attention = @import("../attention.zig");
const testing = @import("../testing.zig");

test "AVX-512 gives the same bits as scalar: attention" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    try attention.expectVariants();
}
