//! prepare_tables.zig's contract with the tables of prepare/avx512.zig.
const prepare = @import("../prepare/avx512.zig");
const prepare_tables = @import("../prepare_tables.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    prepare_tables.runWith(prepare.fillBlock, arguments, begin, end);
}
