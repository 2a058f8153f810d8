//! swiglu.zig in vectors of eight.
const lanes = @import("../lanes.zig");
const Arguments = @import("../swiglu.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const ones: lanes.Lanes = @splat(1);
    var i = begin;
    while (end - i >= lanes.count) : (i += lanes.count) {
        const gate: lanes.Lanes = a.gate[i..][0..lanes.count].*;
        const up: lanes.Lanes = a.up[i..][0..lanes.count].*;
        a.out[i..][0..lanes.count].* = gate / (ones + lanes.exponential(-gate)) * up;
    }
    for (a.gate[i..end], a.up[i..end], a.out[i..end]) |gate, up, *out| {
        out.* = gate / (1 + lanes.exponential(-gate)) * up;
    }
}
