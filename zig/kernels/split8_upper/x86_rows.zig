//! split8_upper.zig for the AVX2 and AVX-512 levels, 64 columns at a time, eight rows folded and scaled at once. One token
//! takes four rows side by side, which share the loads of its activations; more tokens take two rows, whose nibbles they
//! share.
//!
//! `Arithmetic` is how a level adds products up: `Sums`, what holds those of one row and one token over a block;
//! `tokens_together`, for how many tokens its registers suffice; `add(rows, [rows]*Sums, nibbles, values)`, for 64 columns of
//! some rows; and `integers(Sums)`, eight sums, number i over the columns 4 i .. 4 i + 3 of each 32.
const std = @import("std");
const format = @import("../../format.zig");
const lanes = @import("../lanes.zig");
const prepared = @import("../prepared.zig");
const split8 = @import("../split8_x86.zig");
const upper = @import("../split8_upper.zig");

const Lanes = lanes.Lanes;
const block_columns = format.activation_block_columns;
const chunk_columns = format.split8.chunk_columns;
/// How far ahead of use the plane is fetched, in bytes: about one memory latency at the speed it is consumed.
const prefetch_bytes = 4096;
pub inline fn runWith(comptime Arithmetic: type, arguments: *const anyopaque, begin: usize, end: usize) void {
    const a: *const upper.Arguments = @ptrCast(@alignCast(arguments));
    if (a.list == null) {
        Operands(Arithmetic, false).init(a).computeTiles(begin, end);
    } else {
        Operands(Arithmetic, true).init(a).computeTiles(begin, end);
    }
}

fn Operands(comptime Arithmetic: type, comptime is_listed: bool) type {
    return struct {
        const Self = @This();
        const Sums = Arithmetic.Sums;
        const tokens_together = Arithmetic.tokens_together;

        a: *const upper.Arguments,
        weights: format.split8.Layout,
        layout: prepared.Layout,
        row_scales: [*]const f32,
        scales: [*]const f32,
        values: [*]const u8,

        fn init(a: *const upper.Arguments) Self {
            const weights = format.split8.Layout.init(a.rows, a.columns).?;
            const layout = prepared.Layout.init(a.tokens, a.columns).?;
            return .{
                .a = a,
                .weights = weights,
                .layout = layout,
                .row_scales = @ptrCast(@alignCast(a.weights + weights.scales_offset)),
                .scales = @ptrCast(@alignCast(a.prepared + layout.scales_offset)),
                .values = a.prepared + layout.values_offset,
            };
        }

        fn computeTiles(self: Self, begin: usize, end: usize) void {
            for (begin..end) |tile| {
                var token: usize = 0;
                while (token < self.a.tokens) {
                    const together = @min(tokens_together, self.a.tokens - token);
                    switch (together) {
                        inline 1...tokens_together => |tokens| self.computeTile(tokens, tile, token),
                        else => unreachable,
                    }
                    token += together;
                }
            }
        }

        /// One tile for `tokens` tokens from `first_token` on.
        fn computeTile(self: Self, comptime tokens: usize, tile: usize, first_token: usize) void {
            // The steps unrolled below are more than the thousand that the compiler evaluates unasked.
            @setEvalBranchQuota(10_000);
            const a = self.a;
            const end = @min(tile * upper.tile_rows + upper.tile_rows, a.count);
            var maxima: [tokens]Lanes = @splat(@splat(-std.math.inf(f32)));
            var checks: [tokens]Lanes = @splat(@splat(0));
            const rows_together = if (tokens == 1) split8.rows_together else split8.rows_together / 2;
            var index = tile * upper.tile_rows;
            while (end - index >= lanes.count) : (index += lanes.count) {
                var sums: [tokens][lanes.count]Lanes = undefined;
                for (0..lanes.count / rows_together) |part| {
                    const of_rows = self.sumRows(rows_together, tokens, index + part * rows_together, first_token);
                    inline for (&sums, of_rows) |*all, some| all[part * rows_together ..][0..rows_together].* = some;
                }
                const row_scales = self.rowScales(index);
                inline for (sums, 0..) |eight, token| {
                    const offset: Lanes = @splat(a.offsets[first_token + token]);
                    const scores = (lanes.foldEight(eight) * @as(Lanes, @splat(16)) + offset) * row_scales;
                    a.scores[(first_token + token) * a.count + index ..][0..lanes.count].* = scores;
                    maxima[token] = lanes.larger(scores, maxima[token]);
                    checks[token] = checks[token] + (scores - scores);
                }
            }
            var maximum: [tokens]f32 = undefined;
            var check: [tokens]f32 = undefined;
            inline for (0..tokens) |token| {
                maximum[token] = @reduce(.Max, maxima[token]);
                check[token] = @reduce(.Add, checks[token]);
            }
            while (index < end) : (index += 1) {
                const sums = self.sumRows(1, tokens, index, first_token);
                const row_scale = self.row_scales[a.rowOf(index)];
                inline for (sums, 0..) |sum, token| {
                    const score = (lanes.fold(sum[0]) * 16 + a.offsets[first_token + token]) * row_scale;
                    a.scores[(first_token + token) * a.count + index] = score;
                    maximum[token] = lanes.larger(score, maximum[token]);
                    check[token] += score - score;
                }
            }
            const tiles = upper.tileCount(a.count);
            inline for (0..tokens) |token| {
                a.tile_maxima[(first_token + token) * tiles + tile] = maximum[token] + check[token];
            }
        }

        inline fn rowScales(self: Self, index: usize) Lanes {
            if (!is_listed) return self.row_scales[index..][0..lanes.count].*;
            var row_scales: [lanes.count]f32 = undefined;
            for (&row_scales, index..) |*scale, entry| scale.* = self.row_scales[self.a.rowOf(entry)];
            return row_scales;
        }

        inline fn sumRows(
            self: Self,
            comptime rows: usize,
            comptime tokens: usize,
            index: usize,
            first_token: usize,
        ) [tokens][rows]Lanes {
            var chunks: Chunks(rows) = undefined;
            inline for (&chunks.planes, &chunks.fetched, 0..) |*plane, *next, i| {
                plane.* = self.a.weights + self.rowOf(index + i) * self.weights.row_bytes;
                // The list's rows lie anywhere: fetched are those that come next.
                const ahead = @min(index + rows + i, self.a.count - 1);
                if (is_listed) next.* = self.a.weights + self.rowOf(ahead) * self.weights.row_bytes;
            }
            const values = self.values + first_token * self.layout.padded_columns;
            const scales = self.scales + first_token * self.layout.blocks;
            var sums: [tokens][rows]Lanes = @splat(@splat(@splat(0)));
            const whole_blocks = self.weights.padded_columns / block_columns;
            for (0..whole_blocks) |block| {
                var block_sums: [tokens][rows]Sums = @splat(@splat(@splat(0)));
                inline for (0..block_columns / chunk_columns) |chunk| {
                    self.addChunk(rows, tokens, &block_sums, chunks, values, block * block_columns + chunk * chunk_columns);
                }
                self.closeBlock(rows, tokens, &sums, block_sums, scales + block);
            }
            if (whole_blocks < self.layout.blocks) {
                var block_sums: [tokens][rows]Sums = @splat(@splat(@splat(0)));
                var column = whole_blocks * block_columns;
                while (column < self.weights.padded_columns) : (column += chunk_columns) {
                    self.addChunk(rows, tokens, &block_sums, chunks, values, column);
                }
                self.closeBlock(rows, tokens, &sums, block_sums, scales + whole_blocks);
            }
            return sums;
        }

        inline fn rowOf(self: Self, index: usize) usize {
            return if (is_listed) self.a.rowOf(index) else index;
        }

        inline fn addChunk(
            self: Self,
            comptime rows: usize,
            comptime tokens: usize,
            block_sums: *[tokens][rows]Sums,
            chunks: Chunks(rows),
            values: [*]const u8,
            column: usize,
        ) void {
            if (tokens == 1) {
                const token_values = split8.loadValues(values + column);
                inline for (chunks.planes, 0..) |plane, row| {
                    Arithmetic.add(1, block_sums[0][row..][0..1], .{split8.loadNibbles(plane + column / 2)}, token_values);
                }
            } else {
                var nibbles: [rows]split8.Values = undefined;
                inline for (&nibbles, chunks.planes) |*row, plane| row.* = split8.loadNibbles(plane + column / 2);
                inline for (block_sums, 0..) |*token_sums, token| {
                    const token_values = split8.loadValues(values + token * self.layout.padded_columns + column);
                    Arithmetic.add(rows, token_sums, nibbles, token_values);
                }
            }
            chunks.fetch(column / 2);
        }

        inline fn closeBlock(
            self: Self,
            comptime rows: usize,
            comptime tokens: usize,
            sums: *[tokens][rows]Lanes,
            block_sums: [tokens][rows]Sums,
            scales: [*]const f32,
        ) void {
            inline for (sums, block_sums, 0..) |*token_sums, of_block, token| {
                const scale: Lanes = @splat(scales[token * self.layout.blocks]);
                inline for (token_sums, of_block) |*sum, row_sums| {
                    const integers: Lanes = @floatFromInt(Arithmetic.integers(row_sums));
                    sum.* = @mulAdd(Lanes, integers, scale, sum.*);
                }
            }
        }

        /// The rows that are computed side by side, and those that are fetched meanwhile.
        fn Chunks(comptime rows: usize) type {
            return struct {
                planes: [rows][*]const u8,
                fetched: [rows][*]const u8,

                /// Asks for what comes after the bytes from `byte` on.
                inline fn fetch(chunks: @This(), byte: usize) void {
                    if (is_listed) {
                        // Two chunks share a line.
                        if (byte % 64 == 0) inline for (chunks.fetched) |row| @prefetch(row + byte, .{});
                    } else {
                        // The rows lie one after another, and are fetched in that order: the CPU's own prefetcher joins in.
                        const ahead = @intFromPtr(chunks.planes[0]) +% byte * rows +% prefetch_bytes;
                        inline for (0..(rows + 1) / 2) |line| @prefetch(@as(*const u8, @ptrFromInt(ahead +% line * 64)), .{});
                    }
                }
            };
        }
    };
}
