//! attention.zig in vectors of eight. The queries of a tile (several tokens, all heads of the group) share one pass over
//! keys and values. Few queries read the cache itself; for many, keys and values are widened once into a copy that the
//! first cache level holds.
const std = @import("std");
const attention = @import("../attention.zig");
const cells = @import("../cache_cells.zig");
const lanes = @import("../lanes.zig");
const merge = @import("merge.zig");
const products = @import("avx2_products.zig");

const segment_positions = attention.segment_positions;
/// Queries that share one pass at most; a tile with more takes several.
const rows_max = 32;
/// Floats of each buffer of a pass: 32 queries of 128 elements, 64 widened keys of 64, or fewer that are longer.
const buffer_floats = 4096;
/// Up to this many queries the cache is widened in registers, at every use.
const direct_rows_max = 4;

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const attention.Arguments = @ptrCast(@alignCast(arguments));
    switch (a.cell) {
        inline else => |cell| attendUnits(cell, a, begin, end),
    }
}

fn attendUnits(comptime cell: cells.Cell, a: *const attention.Arguments, begin: usize, end: usize) void {
    const ratio = a.heads / a.key_value_heads;
    for (begin..end) |index| {
        const unit = attention.Unit.at(a, index);
        // Past this call's last unit too: whoever takes a part of what is left usually goes on with the next.
        const next = attention.Unit.at(a, if (index + 1 < a.unitsOfRound()) index + 1 else index);
        const rows = unit.tokens * ratio;
        const rows_most = @min(rows_max, buffer_floats / paddedSize(a.head_dim));
        var row: usize = 0;
        while (row < rows) : (row += rows_most) {
            const count = @min(rows_most, rows - row);
            switch (a.head_dim) {
                inline 64, 128 => |size| Pass(cell, size).attend(a, unit, next, row, count),
                else => Pass(cell, null).attend(a, unit, next, row, count),
            }
        }
    }
}

inline fn paddedSize(head_dim: usize) usize {
    return (head_dim + lanes.count - 1) / lanes.count * lanes.count;
}

/// One pass of up to `rows_max` queries over the positions of one key-value head, with head_dim known to the compiler
/// or not. Rows are queries in order of tokens, so that a later row sees no fewer positions.
fn Pass(comptime cell: cells.Cell, comptime fixed_size: ?usize) type {
    return struct {
        const Self = @This();
        const Stored = cells.Stored(cell);

        a: *const attention.Arguments,
        unit: attention.Unit,
        /// Of the unit's queries, the first of this pass.
        first_row: usize,
        rows: usize,
        /// Elements from row to row of every buffer: head_dim up to a multiple of eight, filled with zeros.
        padded: usize,
        /// [T][D] of this key-value head.
        keys: [*]const Stored,
        values: [*]const Stored,
        /// The first keys and values that the next unit sees.
        next_keys: [*]const Stored,
        next_values: [*]const Stored,
        /// Positions that each row sees.
        seen: [rows_max]usize,
        /// Of the present span; a row's maximum, sum and outputs change segment by segment.
        maxima: [rows_max]f32 align(32),
        sums: [rows_max]f32,
        /// By what a row's outputs so far are multiplied when a segment has a new maximum.
        corrections: [rows_max]f32 align(32),
        total_maxima: [rows_max]f32,
        total_sums: [rows_max]f32,
        /// Of one segment: scores, then their powers. Past what a row sees up to a multiple of eight: -inf, then 0.
        powers: [rows_max][segment_positions]f32 align(64),
        /// f32 [rows][padded]
        q: [buffer_floats]f32 align(64),
        out: [buffer_floats]f32 align(64),
        total: [buffer_floats]f32 align(64),
        /// Of the positions of one segment in a q8 cache, zeros past them.
        key_scales: [segment_positions]f32 align(64),
        value_scales: [segment_positions]f32 align(64),
        /// Keys or values [positions][padded] of a part of a segment.
        widened: [buffer_floats]f32 align(64),

        fn attend(a: *const attention.Arguments, unit: attention.Unit, next: attention.Unit, first_row: usize, rows: usize) void {
            var self: Self = undefined;
            const cache_offset = unit.key_value_head * a.capacity * a.head_dim;
            const next_offset = (next.key_value_head * a.capacity + next.firstPosition()) * a.head_dim;
            self.a = a;
            self.unit = unit;
            self.first_row = first_row;
            self.rows = rows;
            self.padded = paddedSize(a.head_dim);
            self.keys = @as([*]const Stored, @ptrCast(a.key_cache)) + cache_offset;
            self.values = @as([*]const Stored, @ptrCast(a.value_cache)) + cache_offset;
            self.next_keys = @as([*]const Stored, @ptrCast(a.key_cache)) + next_offset;
            self.next_values = @as([*]const Stored, @ptrCast(a.value_cache)) + next_offset;
            for (0..rows) |row| {
                const at = self.headOf(row);
                self.seen[row] = a.start + at / a.heads + 1;
                const query = self.q[row * self.size() ..][0..self.size()];
                @memcpy(query[0..a.head_dim], a.q[at * a.head_dim ..][0..a.head_dim]);
                @memset(query[a.head_dim..], 0);
            }
            if (unit.span) |span| self.attendPartial(span) else self.attendWhole();
        }

        inline fn size(self: *const Self) usize {
            return fixed_size orelse self.padded;
        }

        /// The query head, counted through all tokens, of row `row`.
        inline fn headOf(self: *const Self, row: usize) usize {
            const ratio = self.a.heads / self.a.key_value_heads;
            const in_unit = self.first_row + row;
            const token = self.unit.token + in_unit / ratio;
            return token * self.a.heads + self.unit.key_value_head * ratio + in_unit % ratio;
        }

        fn attendPartial(self: *Self, span: usize) void {
            const begin = self.attendSpan(span);
            for (begin..self.rows) |row| {
                const slot = merge.partial(self.a, self.a.slotOf(span), self.headOf(row));
                @memcpy(slot.out, self.out[row * self.size() ..][0..self.a.head_dim]);
                slot.maximum.* = self.maxima[row];
                slot.sum.* = self.sums[row];
            }
        }

        fn attendWhole(self: *Self) void {
            for (0..attention.spansOf(self.seen[self.rows - 1])) |span| {
                const begin = self.attendSpan(span);
                if (span == 0) {
                    @memcpy(self.total[0 .. self.rows * self.size()], self.out[0 .. self.rows * self.size()]);
                    self.total_maxima = self.maxima;
                    self.total_sums = self.sums;
                } else for (begin..self.rows) |row| {
                    merge.merge(self.seenBy(row), .{
                        .out = self.out[row * self.size() ..][0..self.size()],
                        .maximum = &self.maxima[row],
                        .sum = &self.sums[row],
                    });
                }
            }
            for (0..self.rows) |row| {
                merge.divide(self.seenBy(row), self.a.out[self.headOf(row) * self.a.head_dim ..][0..self.a.head_dim]);
            }
        }

        inline fn seenBy(self: *Self, row: usize) merge.Seen {
            return .{
                .out = self.total[row * self.size() ..][0..self.size()],
                .maximum = &self.total_maxima[row],
                .sum = &self.total_sums[row],
            };
        }

        /// Sets maxima, sums and outputs to those of the span's positions; returns the first row that sees any of them.
        fn attendSpan(self: *Self, span: usize) usize {
            self.maxima = @splat(-std.math.inf(f32));
            self.sums = @splat(0);
            @memset(self.out[0 .. self.rows * self.size()], 0);
            const span_first = span * attention.span_positions;
            const end = @min(span_first + attention.span_positions, self.seen[self.rows - 1]);
            var first = span_first;
            while (first < end) : (first += segment_positions) {
                const count = @min(segment_positions, end - first);
                const begin = self.firstRowPast(first);
                if (cell == .q8) {
                    self.copyScales(&self.key_scales, self.a.key_cache, first, count);
                    self.copyScales(&self.value_scales, self.a.value_cache, first, count);
                }
                self.scoreSegment(first, count, begin);
                self.weighSegment(first, count, begin);
                self.addSegment(first, count, begin);
            }
            return self.firstRowPast(span_first);
        }

        fn copyScales(self: *const Self, to: *[segment_positions]f32, cache: [*]align(64) const u8, first: usize, count: usize) void {
            const scales = self.a.scalesOf(cache, self.unit.key_value_head) + first;
            @memcpy(to[0..count], scales[0..count]);
            @memset(to[count..], 0);
        }

        /// The first row that sees position `position`.
        fn firstRowPast(self: *const Self, position: usize) usize {
            var row: usize = 0;
            while (row < self.rows and self.seen[row] <= position) row += 1;
            return row;
        }

        /// Whether the cache can be read as it is: there is nothing to widen or to pad, or not often enough.
        inline fn isDirect(self: *const Self, begin: usize) bool {
            const is_padded = fixed_size == null and self.a.head_dim != self.padded;
            return !is_padded and (cell == .f32 or self.rows - begin <= direct_rows_max);
        }

        fn scoreSegment(self: *Self, first: usize, count: usize, begin: usize) void {
            const direct = if (self.isDirect(begin)) count / lanes.count * lanes.count else 0;
            if (direct > 0) {
                const ahead = self.aheadOf(self.keys, self.next_keys, first);
                self.scoreRows(cell, self.keys + first * self.size(), ahead, 0, direct, begin);
            }
            const part = self.partPositions();
            var t = direct;
            while (t < count) : (t += part) {
                const positions = @min(part, count - t);
                self.widen(self.keys, first + t, positions);
                self.scoreRows(.f32, &self.widened, .none(&self.widened), t, positions, begin);
            }
        }

        /// What is fetched while the segment at `first` of `own`, the unit's keys or values, is computed.
        inline fn aheadOf(self: *const Self, own: [*]const Stored, next: [*]const Stored, first: usize) products.Ahead(Stored) {
            const unit_first = self.unit.firstPosition();
            const seen = self.seen[self.rows - 1] - unit_first;
            const count = if (self.unit.span == null) seen else @min(seen, attention.span_positions);
            return .init(own + unit_first * self.size(), next, count, first - unit_first, self.size());
        }

        /// Positions that the widened copy holds, a multiple of eight.
        inline fn partPositions(self: *const Self) usize {
            return @min(segment_positions, buffer_floats / self.size() / lanes.count * lanes.count);
        }

        /// Rows from `begin` times `count` positions from `t` of the segment, eight at a time.
        inline fn scoreRows(
            self: *Self,
            comptime stored: cells.Cell,
            keys: [*]const cells.Stored(stored),
            ahead: products.Ahead(cells.Stored(stored)),
            t: usize,
            count: usize,
            begin: usize,
        ) void {
            var row = begin;
            inline for (.{ 4, 2, 1 }) |rows| {
                while (self.rows - row >= rows) : (row += rows) {
                    const q = self.q[row * self.size() ..].ptr;
                    const scores = self.powers[row][t..].ptr;
                    const padded_count = (count + lanes.count - 1) / lanes.count * lanes.count;
                    products.Products(stored, rows, fixed_size).score(self.padded, q, keys, ahead, padded_count, self.a.scale, scores);
                }
            }
        }

        /// Scores to powers, and what depends on the segment's maximum.
        fn weighSegment(self: *Self, first: usize, count: usize, begin: usize) void {
            var maxima: [rows_max]f32 align(32) = self.maxima;
            for (begin..self.rows) |row| {
                const powers = self.seenPowers(row, first, count);
                const seen = @min(count, self.seen[row] - first);
                if (cell == .q8) multiply(powers, &self.key_scales);
                for (self.powers[row][seen..powers.len]) |*score| score.* = -std.math.inf(f32);
                var largest: lanes.Lanes = @splat(maxima[row]);
                var t: usize = 0;
                while (t < powers.len) : (t += lanes.count) largest = lanes.larger(@as(lanes.Lanes, powers[t..][0..lanes.count].*), largest);
                maxima[row] = largestOf(largest);
            }
            var block = begin / lanes.count * lanes.count;
            while (block < self.rows) : (block += lanes.count) {
                const before: lanes.Lanes = self.maxima[block..][0..lanes.count].*;
                const after: lanes.Lanes = maxima[block..][0..lanes.count].*;
                self.corrections[block..][0..lanes.count].* = lanes.exponential(before - after);
            }
            self.maxima = maxima;
            for (begin..self.rows) |row| {
                const powers = self.seenPowers(row, first, count);
                const maximum: lanes.Lanes = @splat(maxima[row]);
                var sums: lanes.Lanes = @splat(0);
                var t: usize = 0;
                while (t < powers.len) : (t += lanes.count) {
                    const scores: lanes.Lanes = powers[t..][0..lanes.count].*;
                    const power = lanes.exponential(scores - maximum);
                    powers[t..][0..lanes.count].* = power;
                    sums = sums + power;
                }
                if (cell == .q8) multiply(powers, &self.value_scales);
                self.sums[row] = self.sums[row] * self.corrections[row] + lanes.fold(sums);
            }
        }

        /// The row's powers for the positions that it sees of a segment, up to a multiple of eight.
        inline fn seenPowers(self: *Self, row: usize, first: usize, count: usize) []f32 {
            const seen = @min(count, self.seen[row] - first);
            return self.powers[row][0 .. (seen + lanes.count - 1) / lanes.count * lanes.count];
        }

        fn addSegment(self: *Self, first: usize, count: usize, begin: usize) void {
            if (self.isDirect(begin)) {
                const ahead = self.aheadOf(self.values, self.next_values, first);
                return self.addRows(cell, self.values + first * self.size(), ahead, first, 0, count, begin);
            }
            const part = self.partPositions();
            var t: usize = 0;
            while (t < count) : (t += part) {
                const positions = @min(part, count - t);
                self.widen(self.values, first + t, positions);
                self.addRows(.f32, &self.widened, .none(&self.widened), first, t, positions, begin);
            }
        }

        /// Positions t .. t + count of the segment at `first` into the outputs of the rows from `begin` that see them.
        inline fn addRows(
            self: *Self,
            comptime stored: cells.Cell,
            values: [*]const cells.Stored(stored),
            ahead: products.Ahead(cells.Stored(stored)),
            first: usize,
            t: usize,
            count: usize,
            begin: usize,
        ) void {
            var row = begin;
            inline for (.{ 4, 2, 1 }) |rows| {
                while (self.rows - row >= rows) : (row += rows) {
                    var scales: [rows]f32 = @splat(1);
                    if (t == 0) scales = self.corrections[row..][0..rows].*;
                    // What all rows of the block see, then what the later ones see beyond.
                    const common = @min(count, self.seen[row] -| (first + t));
                    const out = self.out[row * self.size() ..].ptr;
                    const powers = self.powers[row][t..].ptr;
                    products.Products(stored, rows, fixed_size).addValues(self.padded, values, ahead, common, powers, scales, out);
                    for (1..rows) |later| {
                        const more = @min(count, self.seen[row + later] -| (first + t)) - common;
                        if (more == 0) continue;
                        const rest = values + common * self.size();
                        const later_powers = self.powers[row + later][t + common ..].ptr;
                        const later_out = out + later * self.size();
                        products.Products(stored, 1, fixed_size).addValues(self.padded, rest, .none(rest), more, later_powers, .{1}, later_out);
                    }
                }
            }
        }

        /// Positions from `first` into the copy, zeros up to a multiple of eight positions.
        fn widen(self: *Self, head: [*]const Stored, first: usize, positions: usize) void {
            const head_dim = fixed_size orelse self.a.head_dim;
            const whole = head_dim / lanes.count * lanes.count;
            for (0..positions) |position| {
                const from = head + (first + position) * head_dim;
                const to = self.widened[position * self.size() ..][0..self.size()];
                var j: usize = 0;
                while (j < whole) : (j += lanes.count) to[j..][0..lanes.count].* = cells.load(cell, from + j);
                if (whole < head_dim) to[whole..][0..lanes.count].* = cells.loadPart(cell, from + whole, head_dim - whole);
            }
            const end = (positions + lanes.count - 1) / lanes.count * lanes.count;
            @memset(self.widened[positions * self.size() .. end * self.size()], 0);
        }
    };
}

/// values[t] *= factors[t], a multiple of eight of them.
inline fn multiply(values: []f32, factors: *align(64) const [segment_positions]f32) void {
    var t: usize = 0;
    while (t < values.len) : (t += lanes.count) {
        const eight: lanes.Lanes = values[t..][0..lanes.count].*;
        values[t..][0..lanes.count].* = eight * @as(lanes.Lanes, factors[t..][0..lanes.count].*);
    }
}

/// The largest of eight numbers that are no NaN, in three steps.
inline fn largestOf(eight: lanes.Lanes) f32 {
    const values: [lanes.count]f32 = eight;
    const four = lanes.larger(@as(@Vector(4, f32), values[0..4].*), @as(@Vector(4, f32), values[4..8].*));
    const two = lanes.larger(@Vector(2, f32){ four[0], four[1] }, @Vector(2, f32){ four[2], four[3] });
    return lanes.larger(two[0], two[1]);
}
