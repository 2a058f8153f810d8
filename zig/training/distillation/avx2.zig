//! Distillation, AVX2.
const std = @import("std");
const distillation = @import("../distillation.zig");
const lanes = @import("../lanes.zig");
const maximumOf = @import("../cross_entropy/avx2.zig").maximumOf;

const Lanes = lanes.Lanes;
const Powers = struct { x: [*]const f32, inverse: Lanes, maximum: Lanes };
const Row = struct {
    student: [*]const f32,
    teacher: [*]const f32,
    dlogits: [*]f32,
    inverse: Lanes,
    student_log: Lanes,
    teacher_log: Lanes,
    factor: Lanes,
};

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const distillation.Arguments(f32) = @ptrCast(@alignCast(raw));
    const inverse = 1 / a.temperature;
    for (begin..end) |token| {
        const offset = token * a.vocabulary;
        const row = Row{
            .student = a.logits + offset,
            .teacher = a.teacher_logits + offset,
            .dlogits = a.dlogits + offset,
            .inverse = @splat(inverse),
            .student_log = @splat(logarithm(a.logits + offset, a.vocabulary, inverse)),
            .teacher_log = @splat(logarithm(a.teacher_logits + offset, a.vocabulary, inverse)),
            .factor = @splat(a.weight * a.temperature),
        };
        const loss = lanes.Sums.over(a.vocabulary, row, term);
        a.losses[token] = a.temperature * a.temperature * loss;
    }
}

/// log(sum e^(z / T))
fn logarithm(x: [*]const f32, total: usize, inverse: f32) f32 {
    const maximum = maximumOf(x, total) * inverse;
    const powers = Powers{ .x = x, .inverse = @splat(inverse), .maximum = @splat(maximum) };
    return maximum + @log(lanes.Sums.over(total, powers, power));
}

inline fn power(powers: Powers, i: usize, n: usize) Lanes {
    const x = if (n < lanes.count) lanes.loadPart(powers.x + i, n, -std.math.inf(f32)) else lanes.load(powers.x + i);
    return lanes.exponential(lanes.fused(x, powers.inverse, -powers.maximum));
}

inline fn term(row: Row, i: usize, n: usize) Lanes {
    const is_whole = n == lanes.count;
    const z = if (is_whole) lanes.load(row.student + i) else lanes.loadPart(row.student + i, n, 0);
    const teacher_z = if (is_whole) lanes.load(row.teacher + i) else lanes.loadPart(row.teacher + i, n, 0);
    const before = if (is_whole) lanes.load(row.dlogits + i) else lanes.loadPart(row.dlogits + i, n, 0);
    const log_q = lanes.fused(z, row.inverse, -row.student_log);
    const log_p = lanes.fused(teacher_z, row.inverse, -row.teacher_log);
    const p = lanes.exponential(log_p);
    const after = lanes.fused(row.factor, lanes.exponential(log_q) - p, before);
    const loss = p * (log_p - log_q);
    if (is_whole) {
        lanes.store(row.dlogits + i, after);
        return loss;
    }
    lanes.storePart(row.dlogits + i, n, after);
    const own: [lanes.count]f32 = loss;
    return lanes.loadPart(&own, n, 0);
}
