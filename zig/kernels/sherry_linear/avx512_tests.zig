//! sherry_linear/avx512.zig against the scalar level.
const std = @import("std");
const sherry_linear = @import("../sherry_linear.zig");
const test_case = @import("test_case.zig");
const testing = @import("../testing.zig");

test "AVX-512 gives the same bits as scalar: sherry_linear" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    const avx512 = @import("avx512.zig").run;
    try sherry_linear.forEachCase(struct {
        fn check(case: test_case.Case, split: test_case.Split) !void {
            const expected = try case.compute(test_case.scalar, .none);
            defer std.testing.allocator.free(expected);
            const received = try case.compute(avx512, split);
            defer std.testing.allocator.free(received);
            try testing.expectSame(f32, expected, received);
        }
    }.check);
}
