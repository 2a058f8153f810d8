//! The k likeliest rows of a `split8` head with their exact logits, mostly without reading the low nibbles: what greedy,
//! top-k and top-p-within-top-k sampling need of a language model's head. docs/head.md derives the bound and describes
//! the steps:
//!  1. upper scores of all rows and their tile maxima (split8_upper.zig);
//!  2. a threshold that at least m rows reach, m somewhat above k; their exact logits (split8_linear.zig);
//!  3. the k-th best of those logits: a row whose upper score is below it is not among the k likeliest; exact logits of
//!     all rows between it and the first threshold;
//!  4. the k likeliest of what was rescored.
//! Where too many rows remain, or an upper score is not finite, all rows get exact logits: the same result, more bytes.
//!
//! Not a kernel but what calls them; `executor` runs them, on threads or here.
//!
//! Legend: R rows, K columns, N = ceil(K / 256) activation blocks.
const std = @import("std");
const format = @import("../format.zig");
const kernel = @import("kernel.zig");
const prepared = @import("prepared.zig");
const linear = @import("split8_linear.zig");
const token_sums = @import("split8_token.zig");
const top_rows = @import("top_rows.zig");
const upper = @import("split8_upper.zig");

pub const Arguments = struct {
    /// As format.split8.Layout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by prepared.Layout.init(1, columns), aligned to 64; the scales are finite.
    prepared: [*]align(64) const u8,
    /// In standard deviations of the low nibbles' part, 0 .. token_sums.margin_max.
    margin: f32,
    /// `Scratch.init(rows, columns, ids.len).bytes`, aligned to 64.
    scratch: [*]align(64) u8,
    /// The result, likeliest first. k = ids.len = logits.len is from 1 to R.
    ids: []u32,
    logits: []f32,
};

pub const Counts = extern struct {
    /// Rows that reached the first threshold.
    candidates: u64 = 0,
    /// Rows whose exact logit was computed.
    rows_rescored: u64 = 0,
    /// 1 when all rows had to be.
    fell_back: u64 = 0,
};

pub const Error = error{ Busy, NotFinite };

/// Few rows may always be rescored one by one: below this a full pass saves nothing.
const rescored_rows_min = 1024;

/// Where the parts of the scratch memory lie, in bytes; each at a multiple of 64.
pub const Scratch = struct {
    /// Rows that are rescored one by one at most.
    limit: usize,
    /// Rows that the first threshold lets through at least.
    wanted: usize,
    /// [N]
    corrections_offset: usize,
    /// f32 [R]
    scores_offset: usize,
    /// f32 [ceil(R / 64)]
    tile_maxima_offset: usize,
    /// u32 [limit]
    list_offset: usize,
    /// f32 [limit]
    exact_offset: usize,
    /// Row [max(k, wanted)]
    heap_offset: usize,
    bytes: usize,

    /// Null when a size is zero, k is above R, an id would not fit u32 or a product overflows.
    pub fn init(rows: usize, columns: usize, count: usize) ?Scratch {
        if (count == 0 or count > rows or rows > std.math.maxInt(u32)) return null;
        const blocks = (prepared.Layout.init(1, columns) orelse return null).blocks;
        // With fewer the second rescoring grows, with more the first.
        const wanted = @min(rows, count + count / 2 + 7);
        const limit = @min(rows, @max(rescored_rows_min, rows / 4, wanted));
        var sizes = [_]usize{ 0, rows * 4, upper.tileCount(rows) * 4, limit * 4, limit * 4, wanted * @sizeOf(top_rows.Row) };
        sizes[0] = std.math.mul(usize, blocks, @sizeOf(token_sums.Correction)) catch return null;
        var offsets: [sizes.len + 1]usize = undefined;
        offsets[0] = 0;
        for (sizes, 0..) |size, i| {
            const end = std.math.add(usize, offsets[i], size) catch return null;
            offsets[i + 1] = format.roundUp(end, 64) orelse return null;
        }
        return .{
            .limit = limit,
            .wanted = wanted,
            .corrections_offset = offsets[0],
            .scores_offset = offsets[1],
            .tile_maxima_offset = offsets[2],
            .list_offset = offsets[3],
            .exact_offset = offsets[4],
            .heap_offset = offsets[5],
            .bytes = offsets[6],
        };
    }
};

/// The kernels of one level that this needs.
pub const Kernels = struct { linear: *const kernel.Run, upper: *const kernel.Run };

/// `executor.run(function, arguments, units, rows_a_unit)` computes the units and returns error.Busy or nothing.
pub fn run(executor: anytype, kernels: Kernels, a: Arguments) Error!Counts {
    const search = Search(@TypeOf(executor)).init(executor, kernels, a);
    return search.run();
}

fn Search(comptime Executor: type) type {
    return struct {
        const Self = @This();

        executor: Executor,
        kernels: Kernels,
        a: Arguments,
        corrections: []token_sums.Correction,
        scores: []f32,
        tile_maxima: []f32,
        list: []u32,
        exact: []f32,
        heap: []top_rows.Row,

        fn init(executor: Executor, kernels: Kernels, a: Arguments) Self {
            const layout = Scratch.init(a.rows, a.columns, a.ids.len).?;
            const blocks = prepared.Layout.init(1, a.columns).?.blocks;
            return .{
                .executor = executor,
                .kernels = kernels,
                .a = a,
                .corrections = part(token_sums.Correction, a.scratch, layout.corrections_offset, blocks),
                .scores = part(f32, a.scratch, layout.scores_offset, a.rows),
                .tile_maxima = part(f32, a.scratch, layout.tile_maxima_offset, upper.tileCount(a.rows)),
                .list = part(u32, a.scratch, layout.list_offset, layout.limit),
                .exact = part(f32, a.scratch, layout.exact_offset, layout.limit),
                .heap = part(top_rows.Row, a.scratch, layout.heap_offset, layout.wanted),
            };
        }

        fn run(self: Self) Error!Counts {
            token_sums.correct(self.a.prepared, 1, self.a.columns, self.corrections.ptr);
            if (!try self.computeUpperScores()) return self.computeAll(0);

            const first_threshold = self.firstThreshold();
            const first = collect(self.scores, self.tile_maxima, first_threshold, std.math.inf(f32), self.list) orelse
                return self.computeAll(0);
            try self.rescore(0, first);
            const threshold = try self.best(self.exact[0..first], self.list[0..first]);
            var rescored = first;
            if (threshold < first_threshold) {
                const rest = self.list[first..];
                const second = collect(self.scores, self.tile_maxima, threshold, first_threshold, rest) orelse
                    return self.computeAll(first);
                try self.rescore(first, second);
                rescored += second;
                _ = try self.best(self.exact[0..rescored], self.list[0..rescored]);
            }
            return .{ .candidates = first, .rows_rescored = rescored };
        }

        /// False when a score is not finite, so that scores cannot be compared.
        fn computeUpperScores(self: Self) Error!bool {
            const arguments = upper.Arguments{
                .weights = self.a.weights,
                .rows = self.a.rows,
                .columns = self.a.columns,
                .prepared = self.a.prepared,
                .offset = token_sums.upperOffset(self.a.prepared, self.a.columns, self.corrections.ptr, self.a.margin),
                .scores = self.scores.ptr,
                .tile_maxima = self.tile_maxima.ptr,
            };
            try self.executor.run(self.kernels.upper, &arguments, self.tile_maxima.len, upper.tile_rows);
            for (self.tile_maxima) |maximum| if (!std.math.isFinite(maximum)) return false;
            return true;
        }

        /// A score that at least `wanted` rows reach: one in each of as many tiles, or, where tiles are fewer, any rows.
        fn firstThreshold(self: Self) f32 {
            const enough_tiles = self.tile_maxima.len >= self.heap.len;
            var top = top_rows.TopRows{ .heap = self.heap };
            for (if (enough_tiles) self.tile_maxima else self.scores) |score| top.add(.{ .logit = score, .id = 0 });
            return top.last().logit;
        }

        /// Exact logits of list[first..][0..count].
        fn rescore(self: Self, first: usize, count: usize) Error!void {
            if (count > 0) try self.computeLogits(self.list.ptr + first, count, self.exact.ptr + first);
        }

        /// The result from all rows' exact logits.
        fn computeAll(self: Self, candidates: usize) Error!Counts {
            try self.computeLogits(null, self.a.rows, self.scores.ptr);
            _ = try self.best(self.scores, null);
            return .{ .candidates = candidates, .rows_rescored = self.a.rows, .fell_back = 1 };
        }

        fn computeLogits(self: Self, list: ?[*]const u32, count: usize, y: [*]f32) Error!void {
            const arguments = linear.Arguments{
                .weights = self.a.weights,
                .rows = self.a.rows,
                .columns = self.a.columns,
                .prepared = self.a.prepared,
                .corrections = self.corrections.ptr,
                .tokens = 1,
                .list = list,
                .count = count,
                .y = y,
            };
            try self.executor.run(self.kernels.linear, &arguments, count, 1);
        }

        /// Writes the k likeliest to the result, in order, and returns the last one's logit. `ids` null: 0, 1, 2 ...
        fn best(self: Self, logits: []const f32, ids: ?[]const u32) Error!f32 {
            var top = top_rows.TopRows{ .heap = self.heap[0..self.a.ids.len] };
            for (logits, 0..) |logit, index| {
                if (!std.math.isFinite(logit)) return error.NotFinite;
                top.add(.{ .logit = logit, .id = if (ids) |list| list[index] else @intCast(index) });
            }
            for (top.sort(), self.a.ids, self.a.logits) |row, *id, *logit| {
                id.* = row.id;
                logit.* = row.logit;
            }
            return self.a.logits[self.a.logits.len - 1];
        }
    };
}

fn part(comptime T: type, scratch: [*]align(64) u8, offset: usize, count: usize) []T {
    const items: [*]T = @ptrCast(@alignCast(scratch + offset));
    return items[0..count];
}

/// Lists the rows with minimum <= score < below, by ascending id. Null when `list` cannot hold them.
fn collect(scores: []const f32, tile_maxima: []const f32, minimum: f32, below: f32, list: []u32) ?usize {
    const Scores = @Vector(16, f32);
    var count: usize = 0;
    for (tile_maxima, 0..) |maximum, tile| {
        if (maximum < minimum) continue;
        var row = tile * upper.tile_rows;
        const end = @min(row + upper.tile_rows, scores.len);
        while (row < end) : (row += 16) {
            var sixteen: [16]f32 = @splat(-std.math.inf(f32));
            const length = @min(16, end - row);
            @memcpy(sixteen[0..length], scores[row..][0..length]);
            const vector: Scores = sixteen;
            const inside = (vector >= @as(Scores, @splat(minimum))) & (vector < @as(Scores, @splat(below)));
            var places: u16 = @bitCast(inside);
            if (count + @popCount(places) > list.len) return null;
            while (places != 0) : (places &= places - 1) {
                list[count] = @intCast(row + @ctz(places));
                count += 1;
            }
        }
    }
    return count;
}

test {
    _ = @import("head_candidates/tests.zig");
}
