//! The likeliest rows of a `split8` head with their exact logits, mostly without reading the low nibbles: what greedy, top-k
//! and top-p-within-top-k sampling need of a language model's head. docs/head.md derives the bound and describes the
//! steps, of each token with the number k of rows that it asks for:
//!  1. upper scores of all rows and their tile maxima (split8_upper.zig), for all tokens in one pass over the high nibbles;
//!  2. a threshold that at least m rows reach, m somewhat above k; their exact logits (split8_linear.zig);
//!  3. the k-th best of those logits: a row whose upper score is below it is not among the k likeliest; exact logits of
//!     all rows between it and the first threshold;
//!  4. the k likeliest of what was rescored.
//! Where too many rows remain, or an upper score is not finite, all rows get exact logits: the same result, more bytes.
//! A token's result has the same bits whatever other tokens are there.
//!
//! With a coarse plane and one token, step 1 reads that plane instead, and in step 3 the rows between the thresholds get their
//! upper scores first, so that only those among them that reach the k-th best logit are rescored. Where too many rows remain
//! the search starts anew without the coarse plane.
//!
//! Not a kernel but what calls them; `executor` runs them, on threads or here. The threads share each kernel's rows when
//! there is one token, and share the tokens from step 2 on when there are several.
//!
//! Legend: B tokens, R rows, K columns, N = ceil(K / 256) activation blocks.
const std = @import("std");
const kernel = @import("kernel.zig");
const prepared = @import("prepared.zig");
const linear = @import("split8_linear.zig");
const token_sums = @import("split8_token.zig");
const top_rows = @import("top_rows.zig");
const upper = @import("split8_upper.zig");
const coarse_scores = @import("split8_coarse.zig");
const collect = @import("head_candidates/collect.zig").collect;
const rotate = @import("head_candidates/rotate.zig");
const scratch_parts = @import("head_candidates/scratch.zig");

pub const Scratch = scratch_parts.Scratch;

pub const Arguments = struct {
    /// As format.split8.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64; the scales are finite.
    prepared: [*]align(64) const u8,
    tokens: usize,
    /// In standard deviations of the low nibbles' part, 0 .. token_sums.margin_max.
    margin: f32,
    /// Looked at for one token only.
    coarse: ?Coarse = null,
    /// `Scratch.init(rows, columns, tokens, stride).bytes`, aligned to 64.
    scratch: [*]align(64) u8,
    /// [B]: how many rows each token asks for, 1 .. stride.
    wanted: [*]const u32,
    /// Rows that a token has room for in `ids` and `logits`, 1 .. R.
    stride: usize,
    /// The result [B][stride], likeliest first.
    ids: [*]u32,
    logits: [*]f32,
    /// [B]
    counts: [*]Counts,
};

pub const Coarse = struct {
    /// Made by split8_coarse_build.zig from `weights`, aligned to 64.
    plane: [*]align(64) const u8,
    /// In standard deviations of what the plane leaves open.
    margin: f32,
};

pub const Counts = extern struct {
    /// Rows that reached the first threshold.
    candidates: u64 = 0,
    /// Rows whose exact logit was computed.
    rows_rescored: u64 = 0,
    /// 1 when all rows had to be.
    fell_back: u64 = 0,
    /// Rows whose upper score was computed because their coarse score reached the k-th best logit.
    coarse_candidates: u64 = 0,
    /// 1 when the coarse pass left too many rows, so that all got upper scores.
    coarse_fell_back: u64 = 0,
};

pub const Error = error{ Busy, NotFinite };

/// The kernels of one level that this needs.
pub const Kernels = struct {
    linear: *const kernel.Run,
    upper: *const kernel.Run,
    coarse: *const kernel.Run,
    prepare: *const kernel.Run,
};

/// `executor.run(function, arguments, units, rows_a_unit)` computes the units and returns error.Busy or nothing.
pub fn run(executor: anytype, kernels: Kernels, a: Arguments) Error!void {
    const search = Search.init(kernels, a);
    token_sums.correct(a.prepared, a.tokens, a.columns, search.corrections.ptr);
    for (search.offsets, 0..) |*offset, token| {
        offset.* = token_sums.upperOffset(a.prepared, a.tokens, token, a.columns, search.corrections.ptr, a.margin);
    }
    if (a.tokens == 1) if (a.coarse) |coarse| {
        a.counts[0] = .{};
        if (try search.findCoarsely(executor, coarse)) return;
    };
    try executor.run(kernels.upper, &search.upperArguments(), upper.tileCount(a.rows), upper.tile_rows);
    if (a.tokens == 1) {
        try search.find(executor, 0);
    } else {
        try executor.run(&findTokens, &search, a.tokens, a.rows);
    }
    for (a.counts[0..a.tokens], 0..) |counts, token| {
        if (counts.fell_back != 0) try search.findInAll(executor, token);
    }
    if (a.tokens == 1 and a.coarse != null) a.counts[0].coarse_fell_back = 1;
}

/// One token's search on the calling thread. Unit of work: one token.
fn findTokens(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const search: *const Search = @ptrCast(@alignCast(arguments));
    for (begin..end) |token| search.find(Here{}, token) catch unreachable;
}

/// Runs a kernel on the calling thread.
const Here = struct {
    fn run(_: Here, function: *const kernel.Run, arguments: *const anyopaque, units: usize, _: usize) error{}!void {
        function(arguments, 0, units);
    }
};

const Search = struct {
    kernels: Kernels,
    a: Arguments,
    corrections: []token_sums.Correction,
    offsets: []f32,
    scores: []f32,
    tile_maxima: []f32,
    list: []u32,
    exact: []f32,
    heap: []top_rows.Row,
    rotated: []f32,
    rotated_prepared: [*]align(64) u8,

    fn init(kernels: Kernels, a: Arguments) Search {
        const layout = Scratch.init(a.rows, a.columns, a.tokens, a.stride).?;
        const blocks = prepared.Layout.init(a.tokens, a.columns).?.blocks;
        return .{
            .kernels = kernels,
            .a = a,
            .corrections = part(token_sums.Correction, a.scratch, layout.corrections_offset, a.tokens * blocks),
            .offsets = part(f32, a.scratch, layout.offsets_offset, a.tokens),
            .scores = part(f32, a.scratch, layout.scores_offset, a.tokens * a.rows),
            .tile_maxima = part(f32, a.scratch, layout.tile_maxima_offset, a.tokens * upper.tileCount(a.rows)),
            .list = part(u32, a.scratch, layout.list_offset, a.tokens * layout.limit),
            .exact = part(f32, a.scratch, layout.exact_offset, a.tokens * layout.limit),
            .heap = part(top_rows.Row, a.scratch, layout.heap_offset, a.tokens * layout.wanted),
            .rotated = part(f32, a.scratch, layout.rotated_offset, (layout.rotated_prepared_offset - layout.rotated_offset) / 4),
            .rotated_prepared = @alignCast(a.scratch + layout.rotated_prepared_offset),
        };
    }

    fn upperArguments(self: *const Search) upper.Arguments {
        return .{
            .weights = self.a.weights,
            .rows = self.a.rows,
            .columns = self.a.columns,
            .prepared = self.a.prepared,
            .tokens = self.a.tokens,
            .offsets = self.offsets.ptr,
            .list = null,
            .count = self.a.rows,
            .scores = self.scores.ptr,
            .tile_maxima = self.tile_maxima.ptr,
        };
    }

    /// Steps 2 to 4. Where they cannot be done `fell_back` is set and the result left open.
    fn find(self: *const Search, executor: anytype, token: usize) error{Busy}!void {
        const counts = &self.a.counts[token];
        counts.* = .{};
        const scores = share(self.scores, self.a.tokens, token);
        const tile_maxima = share(self.tile_maxima, self.a.tokens, token);
        const list = share(self.list, self.a.tokens, token);
        const exact = share(self.exact, self.a.tokens, token);
        // Set until the search has ended well.
        counts.fell_back = 1;
        for (tile_maxima) |maximum| if (!std.math.isFinite(maximum)) return;

        const first_threshold = self.firstThreshold(token, scratch_parts.wantedRows(self.a.rows, self.a.wanted[token]));
        const first = collect(scores, tile_maxima, first_threshold, std.math.inf(f32), list) orelse return;
        counts.candidates = first;
        try self.computeLogits(executor, token, list.ptr, first, exact.ptr);
        const threshold = self.best(token, exact[0..first], list[0..first]) orelse return;
        var rescored = first;
        if (threshold < first_threshold) {
            const second = collect(scores, tile_maxima, threshold, first_threshold, list[first..]) orelse return;
            if (second > 0) try self.computeLogits(executor, token, list.ptr + first, second, exact.ptr + first);
            rescored += second;
            _ = self.best(token, exact[0..rescored], list[0..rescored]) orelse return;
        }
        counts.rows_rescored = rescored;
        counts.fell_back = 0;
    }

    /// The search with a coarse plane; false when it has to be done without.
    fn findCoarsely(self: *const Search, executor: anytype, coarse: Coarse) error{Busy}!bool {
        const a = self.a;
        const terms = rotate.run(self.kernels.prepare, a.prepared, a.columns, coarse.margin, self.rotated, self.rotated_prepared) orelse
            return false;
        try executor.run(self.kernels.coarse, &coarse_scores.Arguments{
            .coarse = coarse.plane,
            .rows = a.rows,
            .columns = a.columns,
            .prepared = self.rotated_prepared,
            .offset = terms.offset,
            .spread = terms.spread,
            .scores = self.scores.ptr,
            .tile_maxima = self.tile_maxima.ptr,
        }, self.tile_maxima.len, upper.tile_rows);
        for (self.tile_maxima) |maximum| if (!std.math.isFinite(maximum)) return false;

        const first_threshold = self.firstThreshold(0, self.heap.len);
        const first = collect(self.scores, self.tile_maxima, first_threshold, std.math.inf(f32), self.list) orelse return false;
        try self.computeLogits(executor, 0, self.list.ptr, first, self.exact.ptr);
        const threshold = self.best(0, self.exact[0..first], self.list[0..first]) orelse return false;
        a.counts[0] = .{ .candidates = first, .rows_rescored = first };
        if (threshold >= first_threshold) return true;
        const list = self.list[first..];
        const second = collect(self.scores, self.tile_maxima, threshold, first_threshold, list) orelse return false;
        if (second == 0) return true;
        const kept = try self.keepReaching(executor, threshold, list[0..second], self.exact[first..][0..second]);
        a.counts[0].coarse_candidates = second;
        if (kept == 0) return true;
        try self.computeLogits(executor, 0, list.ptr, kept, self.exact.ptr + first);
        _ = self.best(0, self.exact[0 .. first + kept], self.list[0 .. first + kept]) orelse return false;
        a.counts[0].rows_rescored += kept;
        return true;
    }

    /// Moves the rows whose upper score reaches `threshold` to the front of `list`; returns how many they are.
    fn keepReaching(self: *const Search, executor: anytype, threshold: f32, list: []u32, scores: []f32) error{Busy}!usize {
        var arguments = self.upperArguments();
        arguments.list = list.ptr;
        arguments.count = list.len;
        arguments.scores = scores.ptr;
        const tiles = upper.tileCount(list.len);
        try executor.run(self.kernels.upper, &arguments, tiles, upper.tile_rows);
        var kept: usize = 0;
        for (list, scores) |row, score| {
            // Written so that a score that is no number keeps its row.
            if (score < threshold) continue;
            list[kept] = row;
            kept += 1;
        }
        return kept;
    }

    /// The result from all rows' exact logits.
    fn findInAll(self: *const Search, executor: anytype, token: usize) Error!void {
        const logits = share(self.scores, self.a.tokens, token);
        try self.computeLogits(executor, token, null, self.a.rows, logits.ptr);
        _ = self.best(token, logits, null) orelse return error.NotFinite;
        self.a.counts[token].rows_rescored = self.a.rows;
    }

    /// A score that `wanted` rows reach: one in each of as many tiles, or, where tiles are fewer, any.
    fn firstThreshold(self: *const Search, token: usize, wanted: usize) f32 {
        const heap = share(self.heap, self.a.tokens, token);
        const tile_maxima = share(self.tile_maxima, self.a.tokens, token);
        const enough_tiles = tile_maxima.len >= wanted;
        var top = top_rows.TopRows{ .heap = heap[0..wanted] };
        const scores = if (enough_tiles) tile_maxima else share(self.scores, self.a.tokens, token);
        for (scores) |score| top.add(.{ .logit = score, .id = 0 });
        return top.last().logit;
    }

    fn computeLogits(
        self: *const Search,
        executor: anytype,
        token: usize,
        list: ?[*]const u32,
        count: usize,
        y: [*]f32,
    ) error{Busy}!void {
        const arguments = linear.Arguments{
            .weights = self.a.weights,
            .rows = self.a.rows,
            .columns = self.a.columns,
            .prepared = self.a.prepared,
            .prepared_tokens = self.a.tokens,
            .corrections = self.corrections.ptr,
            .first_token = token,
            .tokens = 1,
            .list = list,
            .count = count,
            .y = y,
        };
        try executor.run(self.kernels.linear, &arguments, count, 1);
    }

    /// Writes the k likeliest to the result, in order, and returns the last one's logit; null when a logit is not finite.
    /// `ids` null: 0, 1, 2 ...
    fn best(self: *const Search, token: usize, logits: []const f32, ids: ?[]const u32) ?f32 {
        const count = self.a.wanted[token];
        var top = top_rows.TopRows{ .heap = share(self.heap, self.a.tokens, token)[0..count] };
        for (logits, 0..) |logit, index| {
            if (!std.math.isFinite(logit)) return null;
            top.add(.{ .logit = logit, .id = if (ids) |list| list[index] else @intCast(index) });
        }
        const result_ids = self.a.ids[token * self.a.stride ..][0..count];
        const result_logits = self.a.logits[token * self.a.stride ..][0..count];
        for (top.sort(), result_ids, result_logits) |row, *id, *logit| {
            id.* = row.id;
            logit.* = row.logit;
        }
        return result_logits[count - 1];
    }
};

fn part(comptime T: type, scratch: [*]align(64) u8, offset: usize, count: usize) []T {
    const items: [*]T = @ptrCast(@alignCast(scratch + offset));
    return items[0..count];
}

/// What of `all`, one equal part for each of `tokens`, belongs to `token`.
fn share(all: anytype, tokens: usize, token: usize) @TypeOf(all) {
    const length = all.len / tokens;
    return all[token * length ..][0..length];
}

test {
    _ = @import("head_candidates/tests.zig");
    _ = @import("head_candidates/collect.zig");
    _ = rotate;
    _ = scratch_parts;
}
