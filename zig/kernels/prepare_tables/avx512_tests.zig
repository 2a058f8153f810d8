//! prepare_tables/avx512.zig against prepare/avx512.zig.
const prepare = @import("../prepare/avx512.zig");
const prepare_tables = @import("../prepare_tables.zig");
const prepared = @import("../prepared.zig");
const testing = @import("../testing.zig");

test "AVX-512 makes the tables that prepare makes" {
    if (comptime !testing.has_avx512) return error.SkipZigTest;
    try prepare_tables.expectTablesOfPrepare(prepare.run, @import("avx512.zig").run, prepared.wide_table_bytes);
}
