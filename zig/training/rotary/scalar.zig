//! Rotary position embedding, scalar.
const rotary = @import("../rotary.zig");

pub fn Scalar(comptime Float: type) type {
    return struct {
        pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const rotary.Arguments(Float) = @ptrCast(@alignCast(raw));
            const half = a.head_dim / 2;
            for (begin..end) |token| {
                const turn = a.table + token % a.sequence_tokens * a.head_dim;
                for (0..a.heads) |head| {
                    const x = a.x + (token * a.heads + head) * a.head_dim;
                    for (x[0..half], x[half..a.head_dim], turn[0..half], turn[half..a.head_dim]) |*low, *high, cosine, sine| {
                        const turned = sine * a.direction;
                        const first = low.*;
                        const second = high.*;
                        low.* = first * cosine - second * turned;
                        high.* = second * cosine + first * turned;
                    }
                }
            }
        }
    };
}
