//! SwiGLU, AVX2.
const swiglu = @import("../swiglu.zig");
const lanes = @import("../lanes.zig");

const Arguments = swiglu.Arguments(f32);

pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    var i = begin;
    while (i + lanes.count <= end) : (i += lanes.count) {
        lanes.store(a.h + i, forwardOf(lanes.load(a.gate + i), lanes.load(a.up + i)));
    }
    while (i < end) : (i += 1) a.h[i] = forwardOf(a.gate[i], a.up[i]);
}

inline fn forwardOf(gate: anytype, up: @TypeOf(gate)) @TypeOf(gate) {
    return gate * up / (lanes.splat(@TypeOf(gate), 1) + lanes.exponential(-gate));
}

pub fn backward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    var i = begin;
    while (i + lanes.count <= end) : (i += lanes.count) {
        const dgate, const dup = backwardOf(lanes.load(a.gate + i), lanes.load(a.up + i), lanes.load(a.dh + i));
        lanes.store(a.dgate + i, dgate);
        lanes.store(a.dup + i, dup);
    }
    while (i < end) : (i += 1) {
        const dgate, const dup = backwardOf(a.gate[i], a.up[i], a.dh[i]);
        a.dgate[i] = dgate;
        a.dup[i] = dup;
    }
}

inline fn backwardOf(gate: anytype, up: @TypeOf(gate), dh: @TypeOf(gate)) [2]@TypeOf(gate) {
    const one = lanes.splat(@TypeOf(gate), 1);
    const sigmoid = one / (one + lanes.exponential(-gate));
    return .{ dh * up * sigmoid * lanes.fused(gate, one - sigmoid, one), dh * gate * sigmoid };
}
