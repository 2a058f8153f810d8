//! The AVX-512 level's tests: a program of their own, since what they compile would not run on every machine that runs
//! tests. Where the CPU lacks the level, they are skipped one by one.
test {
    _ = @import("kernels/attention/avx512_tests.zig");
    _ = @import("kernels/q8_linear/avx512_tests.zig");
    _ = @import("kernels/sherry_linear/avx512_tests.zig");
    _ = @import("kernels/split8_upper/avx512_tests.zig");
    _ = @import("kernels/sum_tables/avx512_tests.zig");
}
