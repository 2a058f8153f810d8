//! The two products of avx2.zig, queries times keys and powers times values, in blocks of eight vectors or more that are as many
//! chains of dependent operations: enough to keep two units busy for the four cycles of one. Keys and values are read
//! from the cache itself or from a widened copy; a row has `size` elements either way, a multiple of eight.
const std = @import("std");
const builtin = @import("builtin");
const attention = @import("../attention.zig");
const cells = @import("../cache_cells.zig");
const lanes = @import("../lanes.zig");

/// Vectors of sums in one block: with AVX-512 there are registers for twice as many, of which each loaded vector serves more.
const block_sums = if (builtin.cpu.has(.x86, .avx512vl)) 16 else 8;
/// Floats from one row of scores or powers to the next.
const powers_stride = attention.segment_positions;

/// What is fetched while keys or values are read: what a unit reads `positions` later, past its last position what the next
/// unit reads. To the second-level cache: the first one holds keys, values and sums as it is.
pub fn Ahead(comptime Stored: type) type {
    return struct {
        const Self = @This();
        /// How far ahead: from 64 to 256 measured alike.
        const positions = 128;

        /// Of position 0 of a segment: the address of what is read `positions` later, and that in the next unit.
        own: usize,
        next: usize,
        /// The segment's first position of which the next unit's is fetched.
        next_from: usize,

        /// Nothing ahead: what is read anyway is asked for.
        pub fn none(read: [*]const Stored) Self {
            return .{ .own = @intFromPtr(read), .next = @intFromPtr(read), .next_from = 0 };
        }

        /// For the segment at `first` of a unit that reads `count` positions from `own` on, the next one from `next` on, `size`
        /// elements each.
        pub fn init(own: [*]const Stored, next: [*]const Stored, count: usize, first: usize, size: usize) Self {
            const row_bytes = size * @sizeOf(Stored);
            // A short unit is fetched whole while the one before is computed.
            const distance = @min(positions, count);
            return .{
                .own = @intFromPtr(own) +% (first + distance) *% row_bytes,
                .next = @intFromPtr(next) +% (first +% distance -% count) *% row_bytes,
                .next_from = (count - distance) -| first,
            };
        }

        inline fn fetch(self: Self, position: usize, element: usize, size: usize, count: usize) void {
            // A widened copy, or a cache of a kind that is chosen for its exactness.
            if (Stored == f32) return;
            const from: [*]const u8 = @ptrFromInt(self.addressOf(position, element, size));
            var at: usize = 0;
            while (at < count * @sizeOf(Stored)) : (at += 64) @prefetch(from + at, .{ .locality = 2 });
        }

        /// Of element `element` of what is fetched for the segment's position `position`.
        inline fn addressOf(self: Self, position: usize, element: usize, size: usize) usize {
            const begin = if (position < self.next_from) self.own else self.next;
            return begin +% (position * size + element) * @sizeOf(Stored);
        }
    };
}

/// Products of `rows` (1, 2, 4) queries with keys or values of kind `stored`. `fixed_size` is the rows' size where the
/// compiler is to know it.
pub fn Products(comptime stored: cells.Cell, comptime rows: usize, comptime fixed_size: ?usize) type {
    return struct {
        const Stored = cells.Stored(stored);
        /// Keys of one block, no more than `score` is sure to have.
        const keys_block = @min(lanes.count, block_sums / rows);

        /// scores[row][t] = dot(q[row], keys[t]) * scale: q f32 [rows][size], keys [count][size] with count a multiple
        /// of eight, scores f32 [rows][count] with `powers_stride` from row to row.
        pub fn score(
            runtime_size: usize,
            q: [*]const f32,
            keys: [*]const Stored,
            ahead: Ahead(Stored),
            count: usize,
            scale: f32,
            scores: [*]f32,
        ) void {
            const size = fixed_size orelse runtime_size;
            var key: usize = 0;
            while (key < count) : (key += keys_block) {
                ahead.fetch(key, 0, size, keys_block * size);
                const sums = dotBlock(size, q, keys + key * size);
                var block: [rows * keys_block]f32 = undefined;
                inline for (0..block.len / lanes.count) |part| {
                    const eight = lanes.foldEight(sums[part * lanes.count ..][0..lanes.count].*);
                    block[part * lanes.count ..][0..lanes.count].* = eight * @as(lanes.Lanes, @splat(scale));
                }
                inline for (0..rows) |row| {
                    scores[row * powers_stride + key ..][0..keys_block].* = block[row * keys_block ..][0..keys_block].*;
                }
            }
        }

        /// The lanes of `rows` queries times `keys_block` keys, not yet folded.
        inline fn dotBlock(size: usize, q: [*]const f32, keys: [*]const Stored) [rows * keys_block]lanes.Lanes {
            var sums: [rows * keys_block]lanes.Lanes = @splat(@splat(0));
            var j: usize = 0;
            while (j < size) : (j += lanes.count) {
                var block: [keys_block]lanes.Lanes = undefined;
                inline for (&block, 0..) |*key, k| key.* = cells.load(stored, keys + k * size + j);
                inline for (0..rows) |row| {
                    const query: lanes.Lanes = q[row * size + j ..][0..lanes.count].*;
                    inline for (block, 0..) |key, k| {
                        const sum = &sums[row * keys_block + k];
                        sum.* = @mulAdd(lanes.Lanes, query, key, sum.*);
                    }
                }
            }
            return sums;
        }

        /// out[row] = out[row] * scales[row], then plus powers[row][t] * values[t] for t in order: values
        /// [count][size], powers f32 [rows][count] with `powers_stride` from row to row, out f32 [rows][size].
        pub fn addValues(
            runtime_size: usize,
            values: [*]const Stored,
            ahead: Ahead(Stored),
            count: usize,
            powers: [*]const f32,
            scales: [rows]f32,
            out: [*]f32,
        ) void {
            const size = fixed_size orelse runtime_size;
            var column: usize = 0;
            inline for (.{ 8, 4, 2, 1 }) |vectors| {
                if (vectors * rows <= block_sums) {
                    while (size - column >= vectors * lanes.count) : (column += vectors * lanes.count) {
                        addColumns(vectors, size, column, values, ahead, count, powers, scales, out + column);
                    }
                }
            }
        }

        inline fn addColumns(
            comptime vectors: usize,
            size: usize,
            column: usize,
            values: [*]const Stored,
            ahead: Ahead(Stored),
            count: usize,
            powers: [*]const f32,
            scales: [rows]f32,
            out: [*]f32,
        ) void {
            var sums: [rows][vectors]lanes.Lanes = undefined;
            inline for (0..rows) |row| inline for (0..vectors) |v| {
                const so_far: lanes.Lanes = out[row * size + v * lanes.count ..][0..lanes.count].*;
                sums[row][v] = so_far * @as(lanes.Lanes, @splat(scales[row]));
            };
            for (0..count) |t| {
                ahead.fetch(t, column, size, vectors * lanes.count);
                var block: [vectors]lanes.Lanes = undefined;
                inline for (&block, 0..) |*value, v| {
                    value.* = cells.load(stored, values + t * size + column + v * lanes.count);
                }
                inline for (0..rows) |row| {
                    const power: lanes.Lanes = @splat(powers[row * powers_stride + t]);
                    inline for (0..vectors) |v| sums[row][v] = @mulAdd(lanes.Lanes, power, block[v], sums[row][v]);
                }
            }
            inline for (0..rows) |row| inline for (0..vectors) |v| {
                out[row * size + v * lanes.count ..][0..lanes.count].* = sums[row][v];
            };
        }
    };
}

test "while a unit is read, what it reads later is fetched, then as much of the next unit" {
    const size = 4;
    var own: [600 * size]f16 = undefined;
    var next: [600 * size]f16 = undefined;
    for ([_]usize{ 1, 16, 64, 128, 129, 200, 256, 600 }) |count| {
        const distance = @min(128, count);
        for (0..count) |position| {
            const first = position / attention.segment_positions * attention.segment_positions;
            const ahead = Ahead(f16).init(&own, &next, count, first, size);
            const later = position + distance;
            const expected = if (later < count) &own[later * size + 3] else &next[(later - count) * size + 3];
            errdefer std.debug.print("{d} positions, position {d}\n", .{ count, position });
            try std.testing.expectEqual(@intFromPtr(expected), ahead.addressOf(position - first, 3, size));
        }
    }
}
