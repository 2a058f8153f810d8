//! Rotary position embedding, AVX2.
const rotary = @import("../rotary.zig");
const lanes = @import("../lanes.zig");

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const rotary.Arguments(f32) = @ptrCast(@alignCast(raw));
    const half = a.head_dim / 2;
    for (begin..end) |token| {
        const cosines = a.table + token % a.sequence_tokens * a.head_dim;
        const sines = cosines + half;
        for (0..a.heads) |head| {
            const low = a.x + (token * a.heads + head) * a.head_dim;
            const high = low + half;
            var i: usize = 0;
            while (i + lanes.count <= half) : (i += lanes.count) {
                const turned = turn(lanes.load(low + i), lanes.load(high + i), lanes.load(cosines + i), lanes.load(sines + i), a.direction);
                lanes.store(low + i, turned[0]);
                lanes.store(high + i, turned[1]);
            }
            while (i < half) : (i += 1) {
                const turned = turn(low[i], high[i], cosines[i], sines[i], a.direction);
                low[i] = turned[0];
                high[i] = turned[1];
            }
        }
    }
}

inline fn turn(low: anytype, high: @TypeOf(low), cosine: @TypeOf(low), sine: @TypeOf(low), direction: f32) [2]@TypeOf(low) {
    const turned = sine * lanes.splat(@TypeOf(low), direction);
    return .{ lanes.fused(low, cosine, -(high * turned)), lanes.fused(high, cosine, low * turned) };
}
