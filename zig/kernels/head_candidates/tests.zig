//! Tests of head_candidates.zig: against the full head, and how often the bound is touched.
const std = @import("std");
const format = @import("../../format.zig");
const head_candidates = @import("../head_candidates.zig");
const kernel = @import("../kernel.zig");
const linear = @import("../split8_linear.zig");
const testing = @import("../testing.zig");
const token_sums = @import("../split8_token.zig");
const top_rows = @import("../top_rows.zig");
const upper = @import("../split8_upper.zig");

const Counts = head_candidates.Counts;
const Kernels = head_candidates.Kernels;
const Scratch = head_candidates.Scratch;
const TestWeights = linear.TestWeights;
const TestActivations = token_sums.TestActivations;
const linear_scalar = @import("../split8_linear/scalar.zig");
const upper_scalar = @import("../split8_upper/scalar.zig");
const coarse_scalar = @import("../split8_coarse/scalar.zig");
const prepare_scalar = @import("../prepare/scalar.zig");
const coarse_avx2 = if (testing.has_avx2) @import("../split8_coarse/avx2.zig") else coarse_scalar;
const prepare_avx2 = if (testing.has_avx2) @import("../prepare/avx2.zig") else prepare_scalar;
const build_avx2 = if (testing.has_avx2) @import("../split8_coarse_build/avx2.zig") else @import("../split8_coarse_build/scalar.zig");
const linear_avx2 = if (testing.has_avx2) @import("../split8_linear/avx2.zig") else linear_scalar;
const upper_avx2 = if (testing.has_avx2) @import("../split8_upper/avx2.zig") else upper_scalar;
const level_kernels = [_]Kernels{
    .{ .linear = &linear_scalar.run, .upper = &upper_scalar.run, .coarse = &coarse_scalar.run, .prepare = &prepare_scalar.run },
    .{ .linear = &linear_avx2.run, .upper = &upper_avx2.run, .coarse = &coarse_avx2.run, .prepare = &prepare_avx2.run },
};

/// Runs units here, as one range.
const Direct = struct {
    pub fn run(_: Direct, function: *const kernel.Run, arguments: *const anyopaque, units: usize, _: usize) error{Busy}!void {
        function(arguments, 0, units);
    }
};

/// What a search finds for token number `token` of `x`, all of whose tokens are searched together.
const Found = struct {
    ids: []u32,
    logits: []f32,
    counts: Counts,

    fn init(kernels: Kernels, weights: TestWeights, x: TestActivations, token: usize, count: usize, margin: f32) !Found {
        return initWith(kernels, weights, x, token, count, margin, null);
    }

    fn initWith(
        kernels: Kernels,
        weights: TestWeights,
        x: TestActivations,
        token: usize,
        count: usize,
        margin: f32,
        coarse: ?head_candidates.Coarse,
    ) !Found {
        const allocator = std.testing.allocator;
        // Every token asks for another number of rows.
        const wanted = try allocator.alloc(u32, x.tokens);
        defer allocator.free(wanted);
        for (wanted, 0..) |*one, other| one.* = @intCast(if (other == token) count else other % count + 1);
        const scratch = try testing.Guarded(u8).init(Scratch.init(weights.rows, weights.columns, x.tokens, count).?.bytes);
        defer scratch.deinit();
        const ids = try testing.Guarded(u32).init(x.tokens * count);
        defer ids.deinit();
        const logits = try testing.Guarded(f32).init(x.tokens * count);
        defer logits.deinit();
        const counts = try testing.Guarded(Counts).init(x.tokens);
        defer counts.deinit();
        try head_candidates.run(Direct{}, kernels, .{
            .weights = weights.bytes.items.ptr,
            .rows = weights.rows,
            .columns = weights.columns,
            .prepared = x.bytes.items.ptr,
            .tokens = x.tokens,
            .margin = margin,
            .coarse = coarse,
            .scratch = scratch.items.ptr,
            .wanted = wanted.ptr,
            .stride = count,
            .ids = ids.items.ptr,
            .logits = logits.items.ptr,
            .counts = counts.items.ptr,
        });
        try scratch.expectGuards();
        try ids.expectGuards();
        try logits.expectGuards();
        try counts.expectGuards();
        const own_ids = try allocator.dupe(u32, ids.items[token * count ..][0..count]);
        errdefer allocator.free(own_ids);
        return .{
            .ids = own_ids,
            .logits = try allocator.dupe(f32, logits.items[token * count ..][0..count]),
            .counts = counts.items[token],
        };
    }

    fn deinit(self: Found) void {
        std.testing.allocator.free(self.ids);
        std.testing.allocator.free(self.logits);
    }
};

/// Whether both levels find the k likeliest of the full head for every token, bit for bit, and as each other.
fn findsAll(weights: TestWeights, x: TestActivations, count: usize, margin: f32) !bool {
    for (0..x.tokens) |token| if (!try findsToken(weights, x, token, count, margin)) return false;
    return true;
}

fn findsToken(weights: TestWeights, x: TestActivations, token: usize, count: usize, margin: f32) !bool {
    const allocator = std.testing.allocator;
    const logits = try allocator.alloc(f32, weights.rows);
    defer allocator.free(logits);
    linear_scalar.run(&linear.Arguments{
        .weights = weights.bytes.items.ptr,
        .rows = weights.rows,
        .columns = weights.columns,
        .prepared = x.bytes.items.ptr,
        .prepared_tokens = x.tokens,
        .corrections = x.corrections.items.ptr,
        .first_token = token,
        .tokens = 1,
        .list = null,
        .count = weights.rows,
        .y = logits.ptr,
    }, 0, weights.rows);
    const heap = try allocator.alloc(top_rows.Row, count);
    defer allocator.free(heap);
    var top = top_rows.TopRows{ .heap = heap };
    for (logits, 0..) |logit, id| top.add(.{ .logit = logit, .id = @intCast(id) });

    const found = try Found.init(level_kernels[0], weights, x, token, count, margin);
    defer found.deinit();
    const also = try Found.init(level_kernels[1], weights, x, token, count, margin);
    defer also.deinit();
    try std.testing.expectEqualSlices(u32, found.ids, also.ids);
    try testing.expectSame(f32, found.logits, also.logits);
    try std.testing.expectEqual(found.counts, also.counts);
    for (top.sort(), found.ids, found.logits) |row, id, logit| {
        if (row.id != id or row.logit != logit) return false;
    }
    return true;
}

test "the k likeliest of the full head, bit for bit, for heads that do not know the dither" {
    var source = std.Random.DefaultPrng.init(0x4ea1);
    const random = source.random();
    for ([_]usize{ 1, 5, 64, 130, 700, 3000 }) |rows| for ([_]usize{ 36, 64, 300 }) |columns| {
        const weights = try TestWeights.initNormal(random, rows, columns);
        defer weights.deinit();
        for ([_]usize{ 1, 1, 2, 5 }) |tokens| {
            const x = try TestActivations.init(random, tokens, columns, false);
            defer x.deinit();
            for ([_]usize{ 1, 2, 40, 256 }) |count| {
                if (count > rows) continue;
                errdefer std.debug.print("R {d} K {d} k {d}\n", .{ rows, columns, count });
                try std.testing.expect(try findsAll(weights, x, count, 9));
            }
        }
    };
}

test "few rows of a large head are rescored" {
    var source = std.Random.DefaultPrng.init(0x4ea2);
    const random = source.random();
    const weights = try TestWeights.initNormal(random, 6000, 256);
    defer weights.deinit();
    for (0..5) |_| {
        const x = try TestActivations.init(random, 1, 256, false);
        defer x.deinit();
        try std.testing.expect(try findsAll(weights, x, 40, 9));
        const found = try Found.init(level_kernels[1], weights, x, 0, 40, 9);
        defer found.deinit();
        try std.testing.expectEqual(0, found.counts.fell_back);
        try std.testing.expect(found.counts.rows_rescored >= found.counts.candidates);
        try std.testing.expect(found.counts.rows_rescored < 600);
    }
}

/// Of `weights`' rows, how many have a logit above their upper score at this margin.
fn countEscapes(weights: TestWeights, x: TestActivations, margin: f32) !usize {
    const allocator = std.testing.allocator;
    const buffer = try allocator.alloc(f32, 2 * weights.rows + upper.tileCount(weights.rows));
    defer allocator.free(buffer);
    const logits = buffer[0..weights.rows];
    const scores = buffer[weights.rows..][0..weights.rows];
    const layout = .{ .weights = weights.bytes.items.ptr, .prepared = x.bytes.items.ptr };
    linear_avx2.run(&linear.Arguments{
        .weights = layout.weights,
        .rows = weights.rows,
        .columns = weights.columns,
        .prepared = layout.prepared,
        .prepared_tokens = 1,
        .corrections = x.corrections.items.ptr,
        .tokens = 1,
        .list = null,
        .count = weights.rows,
        .y = logits.ptr,
    }, 0, weights.rows);
    upper_avx2.run(&upper.Arguments{
        .weights = layout.weights,
        .rows = weights.rows,
        .columns = weights.columns,
        .prepared = layout.prepared,
        .tokens = 1,
        .list = null,
        .count = weights.rows,
        .offsets = &.{token_sums.upperOffset(layout.prepared, 1, 0, weights.columns, x.corrections.items.ptr, margin)},
        .scores = scores.ptr,
        .tile_maxima = buffer[2 * weights.rows ..].ptr,
    }, 0, upper.tileCount(weights.rows));
    var escapes: usize = 0;
    for (logits, scores) |logit, score| escapes += @intFromBool(logit > score);
    return escapes;
}

test "logits escape their upper scores about as often as normal errors would, never more often than proven" {
    var source = std.Random.DefaultPrng.init(0x4ea6);
    const random = source.random();
    const margins = [_]f32{ 0, 1, 2, 3, 9 };
    // The normal distribution's tail; the bound is exp(-margin^2 / 2).
    const tails = [_]f64{ 0.5, 0.1587, 0.02275, 0.00135, 0 };
    var escapes: [margins.len]f64 = @splat(0);
    const rounds = 20;
    const rows = 4000;
    for (0..rounds) |_| {
        const weights = try TestWeights.initNormal(random, rows, 192);
        defer weights.deinit();
        const x = try TestActivations.init(random, 1, 192, false);
        defer x.deinit();
        for (margins, &escapes) |margin, *sum| sum.* += @floatFromInt(try countEscapes(weights, x, margin));
    }
    for (margins, tails, escapes) |margin, tail, sum| {
        const share = sum / (rounds * rows);
        errdefer std.debug.print("margin {d}: {d} of all rows escape\n", .{ margin, share });
        try std.testing.expect(share <= @exp(-margin * margin / 2));
        // Rows of one token share its activations, not their errors: at 80,000 samples a fifth is far off.
        try std.testing.expect(@abs(share - tail) <= 0.2 * tail);
    }
}

test "equal rows: ties go to the lowest ids; too many of them fall back to all rows" {
    var source = std.Random.DefaultPrng.init(0x4ea3);
    const weights = try TestWeights.initNormal(source.random(), 3000, 64);
    defer weights.deinit();
    for (0..3000) |row| for (0..64) |column| weights.setWeight(row, column, weights.weight(row % 7, column));
    const row_scales: [*]f32 = @ptrCast(@alignCast(weights.bytes.items[weights.layout.scales_offset..].ptr));
    for (0..3000) |row| row_scales[row] = 0.01;
    const x = try TestActivations.init(source.random(), 1, 64, false);
    defer x.deinit();
    for ([_]usize{ 1, 40 }) |count| try std.testing.expect(try findsAll(weights, x, count, 9));
    for (0..3000) |row| row_scales[row] = 0;
    for ([_]usize{ 1, 40 }) |count| {
        try std.testing.expect(try findsAll(weights, x, count, 9));
        const found = try Found.init(level_kernels[0], weights, x, 0, count, 9);
        defer found.deinit();
        try std.testing.expectEqual(Counts{ .candidates = 0, .rows_rescored = 3000, .fell_back = 1 }, found.counts);
    }
}

test "scores past f32's range fall back; logits past it are refused" {
    var source = std.Random.DefaultPrng.init(0x4ea4);
    const weights = try TestWeights.initNormal(source.random(), 100, 64);
    defer weights.deinit();
    const x = try TestActivations.init(source.random(), 1, 64, false);
    defer x.deinit();
    // Every logit is 0, every upper score is the margin times a scale that is too large for it.
    for (0..100) |row| for (0..64) |column| weights.setWeight(row, column, 0);
    const row_scales: [*]f32 = @ptrCast(@alignCast(weights.bytes.items[weights.layout.scales_offset..].ptr));
    row_scales[42] = std.math.floatMax(f32);
    try std.testing.expect(try findsAll(weights, x, 3, 9));
    row_scales[42] = std.math.nan(f32);
    for (level_kernels) |kernels| {
        try std.testing.expectError(error.NotFinite, Found.init(kernels, weights, x, 0, 3, 9));
    }
}

test "a row written against the dither escapes the bound: what the proof assumes is needed" {
    var source = std.Random.DefaultPrng.init(0x4ea5);
    const random = source.random();
    const weights = try TestWeights.initNormal(random, 500, 512);
    defer weights.deinit();
    const row_scales: [*]f32 = @ptrCast(@alignCast(weights.bytes.items[weights.layout.scales_offset..].ptr));
    for (0..500) |row| row_scales[row] = 0.01;
    const x = try TestActivations.init(random, 1, 512, false);
    defer x.deinit();
    for (0..512) |column| {
        // The low nibble is 15 where the activation is positive, 0 where it is not: all errors add up.
        const dither: i32 = format.split8.ditherOf(column);
        const low: i32 = if (x.valueAt(0, column) > 0) 15 else 0;
        weights.setWeight(77, column, 16 * 8 + low - 120 - dither);
    }
    try std.testing.expect(!try findsAll(weights, x, 1, 9));
}

test "with a coarse plane: the same rows and logits, fewer upper scores; equal rows fall back" {
    var source = std.Random.DefaultPrng.init(0x4ea7);
    const random = source.random();
    for ([_]usize{ 256, 300 }) |columns| {
        const weights = try TestWeights.initNormal(random, 6000, columns);
        defer weights.deinit();
        const row_scales: [*]f32 = @ptrCast(@alignCast(weights.bytes.items[weights.layout.scales_offset..].ptr));
        for (0..6000) |row| row_scales[row] = 0.01;
        for ([_]bool{ false, true }) |equal| {
            if (equal) for (1..6000) |row| for (0..columns) |column| weights.setWeight(row, column, weights.weight(0, column));
            const plane = try testing.Guarded(u8).init(@import("../split8_coarse.zig").Layout.init(6000, columns).?.bytes);
            defer plane.deinit();
            build_avx2.run(&@import("../split8_coarse_build.zig").Arguments{
                .weights = weights.bytes.items.ptr,
                .rows = 6000,
                .columns = columns,
                .coarse = plane.items.ptr,
            }, 0, upper.tileCount(6000));
            const coarse = head_candidates.Coarse{ .plane = plane.items.ptr, .margin = 7 };
            for (0..4) |_| for ([_]usize{ 1, 10 }) |count| {
                const x = try TestActivations.init(random, 1, columns, false);
                defer x.deinit();
                const plain = try Found.init(level_kernels[0], weights, x, 0, count, 9);
                defer plain.deinit();
                var counts: [2]Counts = undefined;
                for (level_kernels, &counts) |kernels, *cost| {
                    const found = try Found.initWith(kernels, weights, x, 0, count, 9, coarse);
                    defer found.deinit();
                    try std.testing.expectEqualSlices(u32, plain.ids, found.ids);
                    try testing.expectSame(f32, plain.logits, found.logits);
                    cost.* = found.counts;
                }
                try std.testing.expectEqual(counts[0], counts[1]);
                if (equal) try std.testing.expectEqual(1, counts[0].coarse_fell_back);
            };
        }
    }
}
