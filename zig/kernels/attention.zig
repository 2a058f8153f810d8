//! Causal grouped-query attention over a key-value cache (Vaswani et al. 2017; Ainslie et al. 2023), f32 arithmetic.
//! Token b of the batch stands at position start + b and sees positions 0 .. start + b. Query head h reads key-value
//! head h / (heads / key_value_heads).
//!
//! Online softmax over segments of 64 positions, so that no buffer grows with the context. Positions are cut into spans
//! of 256 that are computed independently of each other, so that several threads can share a long context (the split
//! of Dao et al. 2023, "Flash-Decoding"); where a span or a segment begins depends on the position alone, never on the
//! batch or on the threads. For one query head and one span, in order of its segments, with running maximum m (from
//! -infinity), running sum l (from 0) and out (from 0):
//!   score[t] = dot(q, k[t]) * scale                dot as lanes.zig says; * the scale of k[t] then, in a q8 cache
//!   m' = max(m, max of the segment's scores); c = exponential(m - m')
//!   p[t] = exponential(score[t] - m')
//!   l = l * c + the sum of p[t]                    as lanes.zig says, lane t % 8 of the segment
//!   w[t] = p[t]                                    * the scale of v[t] in a q8 cache
//!   out[j] = out[j] * c, then out[j] = fma(w[t], v[t][j], out[j]) for t in order
//! Then, starting with what span 0 gave, spans join in order: with m, l and out of the spans so far and the next span's
//!   m' = max(m, m of the span); a = exponential(m - m'); b = exponential(m of the span - m')
//!   l = l * a + l of the span * b; out[j] = out[j] * a + out[j] of the span * b
//! and at the end out[j] / l. `exponential` is lanes.zig's; all operations but fma round on their own.
//!
//! Unit of work: a tile of eight tokens (the batch's last tile may be shorter) times one key-value head, over all
//! positions, or over one span where `partials` is given; see `Unit`.
const std = @import("std");
const cells = @import("cache_cells.zig");

pub const segment_positions = 64;
pub const span_positions = 256;
pub const tile_tokens = 8;
/// Largest head_dim the kernels hold on their stack.
pub const head_dim_max = 512;
/// What a query head of one span leaves in the partials beside its D outputs: maximum and sum.
pub const partial_extra = 2;

pub const Arguments = extern struct {
    /// f32 [B][heads][D]
    q: [*]const f32,
    tokens: usize,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    /// Position of the first token of the batch.
    start: usize,
    capacity: usize,
    cell: cells.Cell,
    /// cache_cells.Layout of `cell`, key_value_heads, capacity and D; aligned to 64.
    key_cache: [*]align(64) const u8,
    value_cache: [*]align(64) const u8,
    /// 1 / sqrt(head_dim), as f32.
    scale: f32,
    /// f32 [B][heads][D]
    out: [*]f32,
    /// Null: units compute whole outputs. Else f32 [slots][B][heads][D + partial_extra]: units compute the spans
    /// first_span .. first_span + spans, each into its slot, and merge.zig joins them into slot 0 and then into out.
    partials: ?[*]f32 = null,
    first_span: usize = 0,
    spans: usize = 0,

    /// The scales f32 [capacity] of one key-value head in a q8 cache.
    pub fn scalesOf(self: *const Arguments, cache: [*]align(64) const u8, key_value_head: usize) [*]const f32 {
        const layout = cells.Layout.init(.q8, self.key_value_heads, self.capacity, self.head_dim).?;
        const scales: [*]const f32 = @ptrCast(@alignCast(cache + layout.scales_offset));
        return scales + key_value_head * self.capacity;
    }

    pub fn tiles(self: *const Arguments) usize {
        return (self.tokens + tile_tokens - 1) / tile_tokens;
    }

    /// Units over all positions, or over one span.
    pub fn units(self: *const Arguments) usize {
        return self.tiles() * self.key_value_heads;
    }

    /// Units of the whole job: over all positions, or over the spans at hand.
    pub fn unitsOfRound(self: *const Arguments) usize {
        return if (self.partials == null) self.units() else self.units() * self.spans;
    }

    /// Floats of one slot of the partials.
    pub fn slotFloats(self: *const Arguments) usize {
        return self.tokens * self.heads * (self.head_dim + partial_extra);
    }

    /// The slot of the partials for a span: the spans before `first_span` are one total in slot 0.
    pub fn slotOf(self: *const Arguments, span: usize) usize {
        return span - (self.first_span -| 1);
    }

    /// Goes on to the spans that the partials' slots (at least two) hold next, first of all to the first; false when
    /// none are left. A round is units() * spans units of attention, then tokens * heads units of merge.zig.
    pub fn nextRound(self: *Arguments, slots: usize) bool {
        self.first_span += self.spans;
        const left = spansOf(self.start + self.tokens) - self.first_span;
        self.spans = @min(left, slots - @intFromBool(self.first_span > 0));
        return left > 0;
    }
};

/// Spans that a query over `positions` positions sees.
pub fn spansOf(positions: usize) usize {
    return (positions + span_positions - 1) / span_positions;
}

/// One unit of work. All tiles of a key-value head follow each other, so that a thread which takes several reads one
/// stretch of the cache again and again, and equal shares are equal work.
pub const Unit = struct {
    key_value_head: usize,
    /// The tile's first token.
    token: usize,
    tokens: usize,
    /// The span to compute; null for all, merged.
    span: ?usize,

    pub fn firstPosition(self: Unit) usize {
        return (self.span orelse 0) * span_positions;
    }

    pub fn at(a: *const Arguments, index: usize) Unit {
        const token = index % a.tiles() * tile_tokens;
        return .{
            .key_value_head = index / a.tiles() % a.key_value_heads,
            .token = token,
            .tokens = @min(tile_tokens, a.tokens - token),
            .span = if (a.partials == null) null else a.first_span + index / a.units(),
        };
    }
};

const testing = @import("testing.zig");
const scalar = @import("attention/scalar.zig");
const merge = @import("attention/merge.zig");
const avx2 = if (testing.has_avx2) @import("attention/avx2.zig") else scalar;

const kernel = @import("kernel.zig");

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
fn expectAttention(comptime cell: cells.Cell, a: Arguments, token: usize, head: usize) !void {
    const size = a.head_dim;
    const offset = head / (a.heads / a.key_value_heads) * a.capacity * size;
    const keys = @as([*]const cells.Stored(cell), @ptrCast(a.key_cache)) + offset;
    const values = @as([*]const cells.Stored(cell), @ptrCast(a.value_cache)) + offset;
    const key_value_head = head / (a.heads / a.key_value_heads);
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
            const key_scale: f64 = if (cell == .q8) a.scalesOf(a.key_cache, key_value_head)[position] else 1;
            const product = @as(f64, value) * cells.widen(cell, stored) * a.scale * key_scale;
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
            const value_scale: f64 = if (cell == .q8) a.scalesOf(a.value_cache, key_value_head)[position] else 1;
            const value: f64 = cells.widen(cell, values[position * size + j]) * value_scale;
            exact += power / sum * value;
            magnitude += @abs(power / sum * value);
            values_sum += @abs(value);
        }
        errdefer std.debug.print("token {d}, head {d}, dimension {d}\n", .{ token, head, j });
        const tolerance = relative * magnitude + values_sum * std.math.floatMin(f32);
        try testing.expectNear(exact, a.out[(token * a.heads + head) * size + j], tolerance);
    }
}

/// Cells of all magnitudes; in a q8 cache all codes with scales of very different sizes, zero among them.
fn fillCache(random: std.Random, a: Arguments, cache: []align(64) u8) void {
    switch (a.cell) {
        inline .f32, .f16 => |cell| testing.fillElements(random, if (cell == .f32) .f32 else .f16, cache),
        .q8 => {
            const count = a.key_value_heads * a.capacity;
            random.bytes(cache[0 .. count * a.head_dim]);
            for (cache[0 .. count * a.head_dim]) |*code| if (code.* == 0x80) {
                code.* = 0;
            };
            const scales = @constCast(a.scalesOf(@ptrCast(cache.ptr), 0));
            testing.fillFloats(random, scales[0..count]);
            for (scales[0..count]) |*scale| scale.* = @abs(scale.*) / 127;
        },
    }
}

fn expectSameOutputs(comptime cell: cells.Cell, random: std.Random, case: Case) !void {
    errdefer std.debug.print("{any} {any}\n", .{ cell, case });
    const capacity = case.start + case.tokens;
    const q = try testing.Guarded(f32).init(case.tokens * case.heads * case.head_dim);
    defer q.deinit();
    const cache_bytes = cells.Layout.init(cell, case.key_value_heads, capacity, case.head_dim).?.bytes;
    const keys = try testing.Guarded(u8).init(cache_bytes);
    defer keys.deinit();
    const values = try testing.Guarded(u8).init(cache_bytes);
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
    var arguments = Arguments{
        .q = q.items.ptr,
        .tokens = case.tokens,
        .heads = case.heads,
        .key_value_heads = case.key_value_heads,
        .head_dim = case.head_dim,
        .start = case.start,
        .capacity = capacity,
        .cell = cell,
        .key_cache = keys.items.ptr,
        .value_cache = values.items.ptr,
        .scale = 1 / @sqrt(@as(f32, @floatFromInt(case.head_dim))),
        .out = expected.items.ptr,
    };
    fillCache(random, arguments, keys.items);
    fillCache(random, arguments, values.items);
    testing.runCut(random, &scalar.run, &arguments, arguments.units());
    for (0..case.tokens) |token| for (0..case.heads) |head| try expectAttention(cell, arguments, token, head);
    arguments.out = actual.items.ptr;
    testing.runCut(random, &avx2.run, &arguments, arguments.units());
    try testing.expectSame(f32, expected.items, actual.items);
    try actual.expectGuards();
    inline for (.{ scalar, avx2 }) |variant| {
        @memset(actual.items, std.math.nan(f32));
        try runInRounds(&variant.run, random, arguments);
        try testing.expectSame(f32, expected.items, actual.items);
        try actual.expectGuards();
    }
}

/// Span by span, as threads share a context, with as many slots as there are spans or fewer.
fn runInRounds(run: *const kernel.Run, random: std.Random, whole: Arguments) !void {
    const slots = random.intRangeAtMost(usize, 2, @max(2, spansOf(whole.start + whole.tokens)));
    const partials = try testing.Guarded(f32).init(slots * whole.slotFloats());
    defer partials.deinit();
    var arguments = whole;
    arguments.partials = partials.items.ptr;
    while (arguments.nextRound(slots)) {
        testing.runCut(random, run, &arguments, arguments.units() * arguments.spans);
        testing.runCut(random, &merge.run, &arguments, arguments.tokens * arguments.heads);
    }
    try partials.expectGuards();
}

test "attention: scalar near float64, every variant its bits, across segment borders" {
    try expectVariants();
}

pub fn expectVariants() !void {
    var source = std.Random.DefaultPrng.init(0xa77e);
    const random = source.random();
    inline for (.{ .f32, .f16, .q8 }) |cell| {
        for ([_]usize{ 8, 16, 20, 64, 80, 128 }) |head_dim| for ([_]usize{ 1, 2, 3, 4, 8, 11 }) |ratio| {
            for ([_]usize{ 0, 1, 7, 62, 63, 64, 65, 127, 129 }) |start| {
                const key_value_heads = random.intRangeAtMost(usize, 1, 3);
                try expectSameOutputs(cell, random, .{
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
            try expectSameOutputs(cell, random, case);
        }
        // Across borders of spans and of tiles, more queries than one pass takes.
        for ([_]usize{ 8, 12, 64, 128 }) |head_dim| for ([_]usize{ 1, 3, 4, 5 }) |ratio| {
            for ([_]usize{ 250, 511, 770 }) |start| for ([_]usize{ 1, 11 }) |tokens| {
                const key_value_heads = random.intRangeAtMost(usize, 1, 2);
                try expectSameOutputs(cell, random, .{
                    .heads = key_value_heads * ratio,
                    .key_value_heads = key_value_heads,
                    .head_dim = head_dim,
                    .start = start,
                    .tokens = tokens,
                });
            };
        };
        const largest = Case{ .heads = 3, .key_value_heads = 1, .head_dim = head_dim_max, .start = 70, .tokens = 1 };
        try expectSameOutputs(cell, random, largest);
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
            .tokens = 1,
            .heads = 1,
            .key_value_heads = 1,
            .head_dim = head_dim,
            .start = positions - 1,
            .capacity = positions,
            .cell = .f32,
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
