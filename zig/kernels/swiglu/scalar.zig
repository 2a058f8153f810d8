//! The reference of swiglu.zig, in plain loops.
const lanes = @import("../lanes.zig");
const Arguments = @import("../swiglu.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (a.gate[begin..end], a.up[begin..end], a.out[begin..end]) |gate, up, *out| {
        out.* = gate / (1 + lanes.exponential(-gate)) * up;
    }
}
