//! SwiGLU, scalar.
const swiglu = @import("../swiglu.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const swiglu.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |i| a.h[i] = a.gate[i] / (1 + @exp(-a.gate[i])) * a.up[i];
        }

        pub fn backward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const swiglu.Arguments(Float) = @ptrCast(@alignCast(raw));
            for (begin..end) |i| {
                const gate = a.gate[i];
                const up = a.up[i];
                const dh = a.dh[i];
                const sigmoid = 1 / (1 + @exp(-gate));
                a.dup[i] = dh * gate * sigmoid;
                a.dgate[i] = dh * up * sigmoid * (1 + gate * (1 - sigmoid));
            }
        }
    };
}
