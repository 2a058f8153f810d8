//! The cosines and sines that rotary.zig multiplies with: of angle position * inverse_frequency, one for each pair of
//! dimensions (Su et al. 2021). In f64, since an f32 angle of a late position is off by more than an f32 cosine can
//! show (position 131071: half a step of f32 is 0.004); rounded to f32 at the end. One implementation for every
//! instruction set: a table is made once a token and is small.
//!
//! Unit of work: one token.
const std = @import("std");
const testing = @import("testing.zig");

pub const Arguments = extern struct {
    /// f64 [D/2], the rotary scaling of the model already in it.
    inverse_frequencies: [*]const f64,
    /// D/2.
    pairs: usize,
    /// Position of the first token.
    start: usize,
    /// f32 [B][2][D/2]: cosines, then sines, of each token's position.
    cosines_sines: [*]f32,
};

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    for (begin..end) |token| {
        const position: f64 = @floatFromInt(a.start + token);
        const cosines = a.cosines_sines[token * 2 * a.pairs ..][0..a.pairs];
        const sines = a.cosines_sines[(token * 2 + 1) * a.pairs ..][0..a.pairs];
        for (a.inverse_frequencies[0..a.pairs], cosines, sines) |inverse_frequency, *cosine, *sine| {
            const angle = position * inverse_frequency;
            cosine.* = @floatCast(@cos(angle));
            sine.* = @floatCast(@sin(angle));
        }
    }
}

const test_frequencies = [4]f64{ 1, 0.1, 0x1p-7, 0.00015 };

const TestVector = struct { position: usize, cosines: [4]f32, sines: [4]f32 };

/// cos and sin of the float64 product position * frequency, by mpmath with 60 digits:
/// mp.cos(mp.mpf(position * frequency)).
const test_vectors = [_]TestVector{
    .{
        .position = 0,
        .cosines = .{ 1.0, 1.0, 1.0, 1.0 },
        .sines = .{ 0.0, 0.0, 0.0, 0.0 },
    },
    .{
        .position = 1,
        .cosines = .{ 0.540302305868, 0.995004165278, 0.999969482577, 0.99999998875 },
        .sines = .{ 0.841470984808, 0.0998334166468, 0.00781242052738, 0.000149999999437 },
    },
    .{
        .position = 63,
        .cosines = .{ 0.985896581583, 0.999858636383, 0.881301254251, 0.999955349082 },
        .sines = .{ 0.167355700303, 0.0168139004844, 0.472554863751, 0.00944985934919 },
    },
    .{
        .position = 4095,
        .cosines = .{ -0.0659759965581, 0.459863339347, 0.838505879283, 0.817205936034 },
        .sines = .{ -0.997821210377, 0.887989701024, 0.544892549414, 0.576345779988 },
    },
    .{
        .position = 131071,
        .cosines = .{ -0.817983499388, 0.930342989844, 0.986084957299, 0.688705593445 },
        .sines = .{ -0.575241683755, 0.366690497897, -0.166242163689, 0.725041106116 },
    },
};

test "rotary table: mpmath's cosines and sines, rounded to f32" {
    for (test_vectors) |vector| {
        errdefer std.debug.print("position {d}\n", .{vector.position});
        const table = try testing.Guarded(f32).init(2 * test_frequencies.len);
        defer table.deinit();
        const arguments = Arguments{
            .inverse_frequencies = &test_frequencies,
            .pairs = test_frequencies.len,
            .start = vector.position,
            .cosines_sines = table.items.ptr,
        };
        run(&arguments, 0, 1);
        try testing.expectSame(f32, &(vector.cosines ++ vector.sines), table.items);
        try table.expectGuards();
    }
}

test "rotary table: many tokens in any ranges are the same as each alone" {
    var source = std.Random.DefaultPrng.init(0x4074);
    const random = source.random();
    for ([_]usize{ 1, 3, 32, 64 }) |pairs| for ([_]usize{ 1, 9, 33 }) |tokens| {
        errdefer std.debug.print("pairs {d}, tokens {d}\n", .{ pairs, tokens });
        var frequencies: [64]f64 = undefined;
        for (frequencies[0..pairs], 0..) |*frequency, j| {
            frequency.* = std.math.pow(f64, 10000, -@as(f64, @floatFromInt(j)) / @as(f64, @floatFromInt(pairs)));
        }
        const start = random.uintLessThan(usize, 1 << 20);
        const together = try testing.Guarded(f32).init(tokens * 2 * pairs);
        defer together.deinit();
        var arguments = Arguments{
            .inverse_frequencies = &frequencies,
            .pairs = pairs,
            .start = start,
            .cosines_sines = together.items.ptr,
        };
        testing.runCut(random, &run, &arguments, tokens);
        try together.expectGuards();
        for (0..tokens) |token| {
            var alone: [128]f32 = undefined;
            arguments.start = start + token;
            arguments.cosines_sines = &alone;
            run(&arguments, 0, 1);
            try testing.expectSame(f32, alone[0 .. 2 * pairs], together.items[token * 2 * pairs ..][0 .. 2 * pairs]);
        }
    };
}
