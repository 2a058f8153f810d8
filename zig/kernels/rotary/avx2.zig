//! rotary.zig with eight pairs at once.
const lanes = @import("../lanes.zig");
const Arguments = @import("../rotary.zig").Arguments;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    const pairs = a.head_dim / 2;
    for (begin..end) |unit| {
        const low = a.x + unit * a.head_dim;
        const cosines = a.cosines_sines + unit / a.heads * a.head_dim;
        rotate(low[0..pairs], low[pairs..][0..pairs], cosines, cosines + pairs);
    }
}

fn rotate(low: []f32, high: []f32, cosines: [*]const f32, sines: [*]const f32) void {
    var j: usize = 0;
    while (low.len - j >= lanes.count) : (j += lanes.count) {
        const x: lanes.Lanes = low[j..][0..lanes.count].*;
        const y: lanes.Lanes = high[j..][0..lanes.count].*;
        const cosine: lanes.Lanes = cosines[j..][0..lanes.count].*;
        const sine: lanes.Lanes = sines[j..][0..lanes.count].*;
        low[j..][0..lanes.count].* = x * cosine - y * sine;
        high[j..][0..lanes.count].* = y * cosine + x * sine;
    }
    while (j < low.len) : (j += 1) {
        const x = low[j];
        const y = high[j];
        low[j] = x * cosines[j] - y * sines[j];
        high[j] = y * cosines[j] + x * sines[j];
    }
}
