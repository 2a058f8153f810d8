//! RMS norm, scalar. Sums run over the columns, or tokens, in their order.
const rms_norm = @import("../rms_norm.zig");

pub fn Scalar(comptime Float: type) type {
    const Arguments = rms_norm.Arguments(Float);
    return struct {
        pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            const width: Float = @floatFromInt(a.width);
            for (begin..end) |token| {
                const x = a.x[token * a.width ..][0..a.width];
                const y = a.y[token * a.width ..][0..a.width];
                var sum: Float = 0;
                for (x) |value| sum += value * value;
                const inverse = 1 / @sqrt(sum / width + a.epsilon);
                a.inverse_rms[token] = inverse;
                for (x, a.gain, y) |value, gain, *out| out.* = value * inverse * gain;
            }
        }

        pub fn backwardInput(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            const width: Float = @floatFromInt(a.width);
            for (begin..end) |token| {
                const x = a.x[token * a.width ..][0..a.width];
                const dy = a.dy[token * a.width ..][0..a.width];
                const dx = a.dx[token * a.width ..][0..a.width];
                const inverse = a.inverse_rms[token];
                var sum: Float = 0;
                for (x, dy, a.gain) |value, gradient, gain| sum += gradient * gain * value;
                const factor = sum / width * inverse * inverse;
                for (x, dy, a.gain, dx) |value, gradient, gain, *out| {
                    out.* += inverse * (gradient * gain - value * factor);
                }
            }
        }

        pub fn backwardGain(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
            const a: *const Arguments = @ptrCast(@alignCast(raw));
            for (begin..end) |unit| {
                const column = unit * rms_norm.gain_columns;
                const count = @min(rms_norm.gain_columns, a.width - column);
                var sums: [rms_norm.gain_columns]Float = @splat(0);
                for (0..a.tokens) |token| {
                    const x = a.x[token * a.width + column ..][0..count];
                    const dy = a.dy[token * a.width + column ..][0..count];
                    for (x, dy, sums[0..count]) |value, gradient, *sum| sum.* += gradient * value * a.inverse_rms[token];
                }
                for (a.dgain[column..][0..count], sums[0..count]) |*out, sum| out.* += sum;
            }
        }
    };
}
