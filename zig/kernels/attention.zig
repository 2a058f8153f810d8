//! Causal grouped-query attention over a key-value cache (Vaswani et al. 2017; Ainslie et al. 2023), f32 arithmetic.
//! Token b of the batch stands at position start + b and sees positions 0 .. start + b. Query head h reads key-value
//! head h / (heads / key_value_heads).
//!
//! Online softmax over segments of 64 positions, so that no buffer grows with the context. For one query head, in
//! order of segments, with running maximum m (from -infinity), running sum l (from 0) and out (from 0):
//!   score[t] = dot(q, k[t]) * scale                dot as lanes.zig says
//!   m' = max(m, max of the segment's scores); c = exponential(m - m') (0 for the first segment)
//!   p[t] = exponential(score[t] - m')
//!   l = l * c + the sum of p[t]                    as lanes.zig says, lane t % 8 of the segment
//!   out[j] = out[j] * c, then out[j] = out[j] + p[t] * v[t][j] for t in order
//! and at the end out[j] / l. `exponential` is lanes.zig's; all operations round on their own.
//!
//! Unit of work: one key-value head of one token (all query heads of its group); unit u is token u / key_value_heads,
//! key-value head u % key_value_heads.
const std = @import("std");
const format = @import("../format.zig");

pub const segment_positions = 64;
/// Largest head_dim the kernels hold on their stack.
pub const head_dim_max = 512;

pub const Arguments = extern struct {
    /// f32 [B][heads][D]
    q: [*]const f32,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    /// Position of the first token of the batch.
    start: usize,
    capacity: usize,
    /// f32 or f16.
    element: format.Element,
    /// [key_value_heads][capacity][D], aligned to 64.
    key_cache: [*]align(64) const u8,
    /// [key_value_heads][capacity][D], aligned to 64.
    value_cache: [*]align(64) const u8,
    /// 1 / sqrt(head_dim), as f32.
    scale: f32,
    /// f32 [B][heads][D]
    out: [*]f32,
};

const testing = @import("testing.zig");
const scalar = @import("attention/scalar.zig");
const avx2 = if (testing.has_avx2) @import("attention/avx2.zig") else scalar;

const elements = @import("elements.zig");

const Case = struct {
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    start: usize,
    tokens: usize,
};

/// Softmax over all positions at once, in float64. The tolerance: a score is wrong by at most (D / 8 + 8) * 2^-24 of
/// its products' magnitudes plus the rounding of score - max, and a power by that much relatively; an output adds one
/// rounding for each position and each segment. Powers below f32's normal numbers may count as 0.
fn expectAttention(comptime element: format.Element, a: Arguments, token: usize, head: usize) !void {
    const size = a.head_dim;
    const offset = head / (a.heads / a.key_value_heads) * a.capacity * size;
    const keys = @as([*]const elements.Stored(element), @ptrCast(a.key_cache)) + offset;
    const values = @as([*]const elements.Stored(element), @ptrCast(a.value_cache)) + offset;
    const q = a.q[(token * a.heads + head) * size ..][0..size];
    const positions = a.start + token + 1;
    const powers = try std.testing.allocator.alloc(f64, positions);
    defer std.testing.allocator.free(powers);
    var score_error: f64 = 0;
    var maximum = -std.math.inf(f64);
    for (powers, 0..) |*score, position| {
        var magnitude: f64 = 0;
        score.* = 0;
        for (q, keys[position * size ..][0..size]) |value, stored| {
            const product = @as(f64, value) * elements.widen(element, stored) * a.scale;
            score.* += product;
            magnitude += @abs(product);
        }
        maximum = @max(maximum, score.*);
        const roundings: f64 = @floatFromInt(size / 8 + 8);
        score_error = @max(score_error, (roundings * magnitude + 2 * @abs(score.*)) * 0x1p-24);
    }
    var sum: f64 = 0;
    for (powers) |*power| {
        power.* = @exp(power.* - maximum);
        sum += power.*;
    }
    const relative = 4 * score_error + @as(f64, @floatFromInt(positions + 32)) * 0x1p-23;
    for (0..size) |j| {
        var exact: f64 = 0;
        var magnitude: f64 = 0;
        var values_sum: f64 = 0;
        for (powers, 0..) |power, position| {
            const value: f64 = elements.widen(element, values[position * size + j]);
            exact += power / sum * value;
            magnitude += @abs(power / sum * value);
            values_sum += @abs(value);
        }
        errdefer std.debug.print("token {d}, head {d}, dimension {d}\n", .{ token, head, j });
        const tolerance = relative * magnitude + values_sum * std.math.floatMin(f32);
        try testing.expectNear(exact, a.out[(token * a.heads + head) * size + j], tolerance);
    }
}

fn expectSameOutputs(comptime element: format.Element, random: std.Random, case: Case) !void {
    errdefer std.debug.print("{any} {any}\n", .{ element, case });
    const capacity = case.start + case.tokens;
    const q = try testing.Guarded(f32).init(case.tokens * case.heads * case.head_dim);
    defer q.deinit();
    const cells = case.key_value_heads * capacity * case.head_dim;
    const keys = try testing.Guarded(u8).init(cells * element.bytes());
    defer keys.deinit();
    const values = try testing.Guarded(u8).init(cells * element.bytes());
    defer values.deinit();
    const expected = try testing.Guarded(f32).init(q.items.len);
    defer expected.deinit();
    const actual = try testing.Guarded(f32).init(q.items.len);
    defer actual.deinit();
    testing.fillFloats(random, q.items);
    // Small queries keep many positions' weights alive; large ones make the running maximum jump.
    if (random.boolean()) for (q.items) |*value| {
        value.* *= 0.05;
    };
    testing.fillElements(random, element, keys.items);
    testing.fillElements(random, element, values.items);

    var arguments = Arguments{
        .q = q.items.ptr,
        .heads = case.heads,
        .key_value_heads = case.key_value_heads,
        .head_dim = case.head_dim,
        .start = case.start,
        .capacity = capacity,
        .element = element,
        .key_cache = keys.items.ptr,
        .value_cache = values.items.ptr,
        .scale = 1 / @sqrt(@as(f32, @floatFromInt(case.head_dim))),
        .out = expected.items.ptr,
    };
    const units = case.tokens * case.key_value_heads;
    testing.runCut(random, &scalar.run, &arguments, units);
    for (0..case.tokens) |token| for (0..case.heads) |head| try expectAttention(element, arguments, token, head);
    arguments.out = actual.items.ptr;
    testing.runCut(random, &avx2.run, &arguments, units);
    try testing.expectSame(f32, expected.items, actual.items);
    try actual.expectGuards();
}

test "attention: scalar near float64, every variant its bits, across segment borders" {
    var source = std.Random.DefaultPrng.init(0xa77e);
    const random = source.random();
    inline for (.{ .f32, .f16 }) |element| {
        for ([_]usize{ 8, 16, 20, 64, 80, 128 }) |head_dim| for ([_]usize{ 1, 2, 3, 4, 8, 11 }) |ratio| {
            for ([_]usize{ 0, 1, 7, 62, 63, 64, 65, 127, 129 }) |start| {
                const key_value_heads = random.intRangeAtMost(usize, 1, 3);
                try expectSameOutputs(element, random, .{
                    .heads = key_value_heads * ratio,
                    .key_value_heads = key_value_heads,
                    .head_dim = head_dim,
                    .start = start,
                    .tokens = random.intRangeAtMost(usize, 1, 3),
                });
            }
        };
        for ([_]usize{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 33 }) |tokens| {
            const case = Case{ .heads = 4, .key_value_heads = 2, .head_dim = 16, .start = 60, .tokens = tokens };
            try expectSameOutputs(element, random, case);
        }
        const largest = Case{ .heads = 3, .key_value_heads = 1, .head_dim = head_dim_max, .start = 70, .tokens = 1 };
        try expectSameOutputs(element, random, largest);
    }
}

test "attention: scores far apart pick one value, equal scores the mean" {
    const head_dim = 8;
    const positions = 130;
    var keys: [positions * head_dim]f32 align(64) = @splat(0);
    var values: [positions * head_dim]f32 align(64) = undefined;
    for (&values, 0..) |*value, i| value.* = @floatFromInt(i / head_dim);
    inline for (.{ scalar, avx2 }) |variant| for ([_]?usize{ null, 0, 63, 64, 128, 129 }) |pick| {
        @memset(&keys, 0);
        if (pick) |position| @memset(keys[position * head_dim ..][0..head_dim], 1000);
        const q: [head_dim]f32 = @splat(1);
        var out: [head_dim]f32 = undefined;
        const arguments = Arguments{
            .q = &q,
            .heads = 1,
            .key_value_heads = 1,
            .head_dim = head_dim,
            .start = positions - 1,
            .capacity = positions,
            .element = .f32,
            .key_cache = @ptrCast(&keys),
            .value_cache = @ptrCast(&values),
            .scale = 1,
            .out = &out,
        };
        variant.run(&arguments, 0, 1);
        // The mean of 0 .. 129; every sum on the way is an integer, so it is exact.
        const expected: f32 = if (pick) |position| @floatFromInt(position) else 64.5;
        try testing.expectSame(f32, &(@as([head_dim]f32, @splat(expected))), &out);
    };
}
