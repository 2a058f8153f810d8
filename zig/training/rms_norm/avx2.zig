//! RMS norm, AVX2.
const rms_norm = @import("../rms_norm.zig");
const lanes = @import("../lanes.zig");
const scalar = @import("scalar.zig").Scalar(f32);

const Arguments = rms_norm.Arguments(f32);
const Lanes = lanes.Lanes;

const Square = struct { x: [*]const f32 };
const Product = struct { x: [*]const f32, dy: [*]const f32, gain: [*]const f32 };

pub fn forward(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const width: f32 = @floatFromInt(a.width);
    for (begin..end) |token| {
        const x = a.x + token * a.width;
        const y = a.y + token * a.width;
        const sum = lanes.Sums.over(a.width, Square{ .x = x }, square);
        const inverse = 1 / @sqrt(sum / width + a.epsilon);
        a.inverse_rms[token] = inverse;
        var i: usize = 0;
        const factor: Lanes = @splat(inverse);
        while (i + lanes.count <= a.width) : (i += lanes.count) {
            lanes.store(y + i, lanes.load(x + i) * factor * lanes.load(a.gain + i));
        }
        while (i < a.width) : (i += 1) y[i] = x[i] * inverse * a.gain[i];
    }
}

inline fn square(context: Square, i: usize, n: usize) Lanes {
    const x = if (n == lanes.count) lanes.load(context.x + i) else lanes.loadPart(context.x + i, n, 0);
    return x * x;
}

inline fn product(context: Product, i: usize, n: usize) Lanes {
    if (n < lanes.count) {
        return lanes.loadPart(context.dy + i, n, 0) * lanes.loadPart(context.gain + i, n, 0) * lanes.loadPart(context.x + i, n, 0);
    }
    return lanes.load(context.dy + i) * lanes.load(context.gain + i) * lanes.load(context.x + i);
}

pub fn backwardInput(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const width: f32 = @floatFromInt(a.width);
    for (begin..end) |token| {
        const x = a.x + token * a.width;
        const dy = a.dy + token * a.width;
        const dx = a.dx + token * a.width;
        const inverse = a.inverse_rms[token];
        const sum = lanes.Sums.over(a.width, Product{ .x = x, .dy = dy, .gain = a.gain }, product);
        const factor = sum / width * inverse * inverse;
        var i: usize = 0;
        while (i + lanes.count <= a.width) : (i += lanes.count) {
            const change = gradientOf(lanes.load(dy + i), lanes.load(a.gain + i), lanes.load(x + i), inverse, factor);
            lanes.store(dx + i, lanes.load(dx + i) + change);
        }
        while (i < a.width) : (i += 1) dx[i] += gradientOf(dy[i], a.gain[i], x[i], inverse, factor);
    }
}

inline fn gradientOf(dy: anytype, gain: @TypeOf(dy), x: @TypeOf(dy), inverse: f32, factor: f32) @TypeOf(dy) {
    const T = @TypeOf(dy);
    return lanes.splat(T, inverse) * lanes.fused(-x, lanes.splat(T, factor), dy * gain);
}

pub fn backwardGain(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const column = unit * rms_norm.gain_columns;
        if (column + rms_norm.gain_columns > a.width) return scalar.backwardGain(raw, unit, end);
        var sums: [rms_norm.gain_columns / lanes.count]Lanes = @splat(@splat(0));
        for (0..a.tokens) |token| {
            const offset = token * a.width + column;
            const inverse: Lanes = @splat(a.inverse_rms[token]);
            inline for (&sums, 0..) |*sum, i| {
                const dy = lanes.load(a.dy + offset + i * lanes.count);
                sum.* = lanes.fused(dy * inverse, lanes.load(a.x + offset + i * lanes.count), sum.*);
            }
        }
        inline for (sums, 0..) |sum, i| {
            const out = a.dgain + column + i * lanes.count;
            lanes.store(out, lanes.load(out) + sum);
        }
    }
}
