//! The reference of add.zig, in plain loops.
const Arguments = @import("../add.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (a.x[begin..end], a.y[begin..end]) |*x, y| x.* = x.* + y;
}
