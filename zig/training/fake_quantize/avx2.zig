//! Fake quantization's effective weights, AVX2: no branch on a weight's sign or place, which are as good as random.
const fake_quantize = @import("../fake_quantize.zig");
const lanes = @import("../lanes.zig");
const scalar = @import("scalar.zig");

const Arguments = fake_quantize.Arguments;
const Lanes = lanes.Lanes;
const Places = @Vector(lanes.count, u32);

pub fn write(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    // Ranges that are no whole vectors are short ones: a row of few columns.
    if (a.group_columns % lanes.count != 0) return scalar.write(raw, begin, end);
    const groups = a.groups();
    for (begin * groups..end * groups) |range| {
        switch (a.method) {
            inline else => |method| writeRange(method, a, range),
        }
    }
}

fn writeRange(comptime method: fake_quantize.Method, a: *const Arguments, range: usize) void {
    const index = if (a.is_tensor != 0) 0 else range;
    const scale: Lanes = @splat(if (method == .none) 0 else a.scales[index]);
    const limit: Lanes = @splat(switch (method) {
        .absmean => a.scales[index] / 2,
        .twn => a.thresholds[index],
        else => 0,
    });
    const lambda: Lanes = @splat(a.lambda);
    const zero: Lanes = @splat(0);
    const first = range * a.group_columns;
    var i = first;
    while (i < first + a.group_columns) : (i += lanes.count) {
        const weights = lanes.load(a.w + i);
        // 0 - scale, so that a scale of 0 gives +0.
        const signed = @select(f32, weights < zero, zero - scale, scale);
        const quantized = switch (method) {
            .none => weights,
            .binary => signed,
            .sherry => @select(f32, isDropped(@abs(weights)), zero, signed),
            .absmean => @select(f32, @abs(weights) < limit, zero, signed),
            .twn => @select(f32, @abs(weights) <= limit, zero, signed),
        };
        lanes.store(a.effective + i, if (a.lambda == 0) quantized else quantized + lambda * weights);
    }
}

/// Where each block of four has its least, the first of equal ones.
inline fn isDropped(magnitudes: Lanes) @Vector(lanes.count, bool) {
    const places = Places{ 0, 1, 2, 3, 0, 1, 2, 3 };
    const least = leastOfBlocks(f32, magnitudes);
    const candidates = @select(u32, magnitudes == least, places, @as(Places, @splat(4)));
    return leastOfBlocks(u32, candidates) == places;
}

/// The least of each block of four, in all its lanes.
inline fn leastOfBlocks(comptime T: type, values: @Vector(lanes.count, T)) @Vector(lanes.count, T) {
    const pairs = smaller(values, @shuffle(T, values, undefined, [8]i32{ 1, 0, 3, 2, 5, 4, 7, 6 }));
    return smaller(pairs, @shuffle(T, pairs, undefined, [8]i32{ 2, 3, 0, 1, 6, 7, 4, 5 }));
}

/// Unlike @min it does not look for NaN, which costs more than the comparison.
inline fn smaller(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return @select(@typeInfo(@TypeOf(a)).vector.child, a < b, a, b);
}
