//! AdamW, AVX2.
const adamw = @import("../adamw.zig");
const lanes = @import("../lanes.zig");

const Arguments = adamw.Arguments(f32);

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    var i = begin;
    while (i + lanes.count <= end) : (i += lanes.count) {
        const w, const m, const v = step(a, lanes.load(a.w + i), lanes.load(a.gradient + i), lanes.load(a.m + i), lanes.load(a.v + i));
        lanes.store(a.w + i, w);
        lanes.store(a.m + i, m);
        lanes.store(a.v + i, v);
    }
    while (i < end) : (i += 1) {
        const w, const m, const v = step(a, a.w[i], a.gradient[i], a.m[i], a.v[i]);
        a.w[i] = w;
        a.m[i] = m;
        a.v[i] = v;
    }
}

/// The next w, m and v.
inline fn step(a: *const Arguments, w: anytype, raw_gradient: @TypeOf(w), m: @TypeOf(w), v: @TypeOf(w)) [3]@TypeOf(w) {
    const T = @TypeOf(w);
    const gradient = raw_gradient * lanes.splat(T, a.gradient_scale);
    const next_m = lanes.fused(lanes.splat(T, a.beta1), m, lanes.splat(T, 1 - a.beta1) * gradient);
    const next_v = lanes.fused(lanes.splat(T, a.beta2), v, lanes.splat(T, 1 - a.beta2) * gradient * gradient);
    const root = @sqrt(lanes.splat(T, a.correction2) * next_v) + lanes.splat(T, a.epsilon);
    const change = lanes.fused(lanes.splat(T, a.weight_decay), w, lanes.splat(T, a.correction1) * next_m / root);
    return .{ lanes.fused(-lanes.splat(T, a.learning_rate), change, w), next_m, next_v };
}
