//! add.zig in vectors of eight.
const lanes = @import("../lanes.zig");
const Arguments = @import("../add.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    var i = begin;
    while (end - i >= lanes.count) : (i += lanes.count) {
        const x: lanes.Lanes = a.x[i..][0..lanes.count].*;
        const y: lanes.Lanes = a.y[i..][0..lanes.count].*;
        a.x[i..][0..lanes.count].* = x + y;
    }
    for (a.x[i..end], a.y[i..end]) |*x, y| x.* = x.* + y;
}
