//! prepare_tables.zig's contract with the scalar tables of prepare/scalar.zig.
const prepare = @import("../prepare/scalar.zig");
const prepare_tables = @import("../prepare_tables.zig");

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    prepare_tables.runWith(prepare.fillBlock, arguments, begin, end);
}
