//! The reference of rotary.zig, in plain loops.
const Arguments = @import("../rotary.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const pairs = a.head_dim / 2;
    for (begin..end) |unit| {
        const low = a.x[unit * a.head_dim ..][0..pairs];
        const high = a.x[unit * a.head_dim + pairs ..][0..pairs];
        const table = a.cosines_sines[unit / a.heads * a.head_dim ..];
        for (low, high, table[0..pairs], table[pairs..][0..pairs]) |*x, *y, cosine, sine| {
            const rotated = x.* * cosine - y.* * sine;
            y.* = y.* * cosine + x.* * sine;
            x.* = rotated;
        }
    }
}
