//! The tables in which sherry_linear looks up the sums of four activations (kernels.md, design A1), for eight tokens or
//! fewer at a time. Each thread makes those that it reads, in memory of its own. Shared, they would be read from the cores
//! that made them: where a line took 180 ns from core to core a prefill measured half as long again. The activations that
//! they are made of are an eighth or a sixteenth of their bytes. The memory belongs to a context, which frees it: hence slots
//! and not thread-local variables.
//!
//! Digits: the sixteen sums T = a +- b +- c that an index nibble can name (|T| <= 381) are stored as two signed digits,
//! T = 31 * high + low with high = mulhrs(T, 1057), that is (T * 1057 + 16384) >> 15; |low| <= 15, |high| <= 12. Sixteen
//! bytes of low digits and sixteen of high digits a block of four, at tableOffset. The AVX-512 level has wide
//! tables (sum_tables/avx512.zig).
const std = @import("std");
const format = @import("../format.zig");

pub const digit_radix = 31;
/// 2^15 / 31, rounded.
pub const digit_reciprocal = 1057;

/// Bytes of the two digit tables for one block of four activations.
pub const block_table_bytes = 32;
/// Bytes of tables for one activation block of 256 columns: 64 blocks of four.
pub const table_bytes = format.activation_block_columns / format.block_columns * block_table_bytes;
/// Where the high digits of a block of four lie, counted from its low digits.
pub const table_high_offset = 256;
/// The same of the AVX-512 level, whose tables hold negatives too (see sum_tables/avx512.zig).
pub const wide_block_table_bytes = 2 * block_table_bytes;
pub const wide_table_bytes = 2 * table_bytes;
/// Tokens whose tables lie side by side, because sherry_linear looks up for as many at once.
pub const table_tokens = 4;
/// Tokens whose tables are made together.
pub const group_tokens = 8;

/// Where the tables of an activation block of a token lie among all B * N, counted in tables: four tokens' after
/// four tokens' (the last fewer), in each block after block, in each block token after token. So what is used together
/// lies together, and no two of it at a distance that makes them share a cache's sets.
pub inline fn tableIndex(tokens: usize, blocks: usize, token: usize, block: usize) usize {
    const first = token / table_tokens * table_tokens;
    return first * blocks + block * @min(table_tokens, tokens - first) + token % table_tokens;
}

/// One activation block of one token.
pub const Cell = struct {
    token: usize,
    block: usize,
};

/// The tables of one activation block of one token, among those of `tokens` tokens with `blocks` activation blocks each.
pub const TablePlace = struct {
    all: [*]align(64) u8,
    tokens: usize,
    blocks: usize,
    cell: Cell,

    /// Those of the AVX2 level.
    pub inline fn narrow(self: TablePlace) *[table_bytes]u8 {
        return self.all[tableIndex(self.tokens, self.blocks, self.cell.token, self.cell.block) * table_bytes ..][0..table_bytes];
    }

    pub inline fn wide(self: TablePlace) WidePlace {
        return .init(self.tokens, self.cell.token, self.cell.block);
    }
};

/// Where the wide tables of an activation block of a token begin among those of a group of tokens, in bytes, and how far from
/// one block of four's to the next: activation block after activation block, in each block of four after block of four, in
/// each token after token. So they are read in the order in which they lie.
pub const WidePlace = struct {
    offset: usize,
    stride: usize,

    pub inline fn init(tokens: usize, token: usize, block: usize) WidePlace {
        return .{
            .offset = block * tokens * wide_table_bytes + token * wide_block_table_bytes,
            .stride = tokens * wide_block_table_bytes,
        };
    }
};

/// Where the sixteen low digits of block of four `block` (0..63) lie inside its activation block's tables. The tables of
/// two chunks (sixteen blocks) are interleaved, because that is how the transposition in sum_tables/avx2.zig leaves them:
/// blocks 0 and 8 side by side, then 1 and 9, and so on to 7 and 15; after those 256 bytes the high digits likewise.
pub inline fn tableOffset(block: usize) usize {
    return block / 16 * 512 + block % 8 * 32 + block / 8 % 2 * 16;
}

/// Which tokens' tables a thread has at hand.
pub const Key = extern struct {
    /// Of the prepared activations (prepared.Layout.stamp_offset); 0: of none.
    stamp: u64,
    first_token: usize,
    first_block: usize,
    block_end: usize,
};

/// One thread's, on cache lines of its own.
pub const Slot = extern struct {
    /// The thread's number in the system; 0: nobody's.
    owner: std.atomic.Value(u32) align(std.atomic.cache_line) = .init(0),
    key: Key = .{ .stamp = 0, .first_token = 0, .first_block = 0, .block_end = 0 },
};

/// The tables of all threads that may compute at the same time.
pub const Set = extern struct {
    /// [count]
    slots: [*]Slot,
    count: usize,
    /// u8 [count][bytes_each]
    memory: [*]align(64) u8,
    bytes_each: usize,

    /// Lets the calling thread and all others of its pool find a slot: when it has none, all give theirs back, since the
    /// threads that own them may be gone. No other thread may be computing.
    pub fn admit(self: *const Set) void {
        if (self.slotOf(ownNumber()) == null) self.clear();
    }

    /// Makes all slots nobody's. No thread may be computing.
    pub fn clear(self: *const Set) void {
        for (self.slots[0..self.count]) |*slot| slot.* = .{};
    }

    fn slotOf(self: *const Set, owner: u32) ?usize {
        for (self.slots[0..self.count], 0..) |*slot, index| if (slot.owner.load(.monotonic) == owner) return index;
        return null;
    }

    /// The calling thread's slot. Threads that compute at the same time are no more than slots, once `admit` has been called.
    fn own(self: *const Set) usize {
        const number = ownNumber();
        if (self.slotOf(number)) |index| return index;
        for (self.slots[0..self.count], 0..) |*slot, index| {
            if (slot.owner.cmpxchgStrong(0, number, .acquire, .monotonic) == null) return index;
        }
        @panic("more threads compute than there are tables for");
    }

    /// The calling thread's tables of a group of tokens, made by `fillBlock` unless they are at hand.
    pub inline fn of(
        self: *const Set,
        comptime fillBlock: fn (values: *const [format.activation_block_columns]i8, place: TablePlace) void,
        group: Group,
    ) [*]align(64) u8 {
        const index = self.own();
        const tables: [*]align(64) u8 = @alignCast(self.memory + index * self.bytes_each);
        const key = &self.slots[index].key;
        const wanted = Key{
            .stamp = group.stamp,
            .first_token = group.first_token,
            .first_block = group.first_block,
            .block_end = group.block_end,
        };
        if (group.stamp != 0 and std.meta.eql(key.*, wanted)) return tables;
        const blocks = group.block_end - group.first_block;
        for (0..group.tokens) |token| for (0..blocks) |block| {
            const values = &group.values[(group.first_token + token) * group.blocks + group.first_block + block];
            const cell = Cell{ .token = token, .block = block };
            fillBlock(values, .{ .all = tables, .tokens = group.tokens, .blocks = blocks, .cell = cell });
        };
        key.* = wanted;
        return tables;
    }
};

/// Tokens whose tables are made together, of activation blocks first_block .. block_end.
pub const Group = struct {
    stamp: u64,
    first_token: usize,
    tokens: usize,
    first_block: usize,
    block_end: usize,
    /// N, the activation blocks of a token.
    blocks: usize,
    /// i8 [B][N][256]
    values: [*]const [format.activation_block_columns]i8,
};

fn ownNumber() u32 {
    return @intCast(std.Thread.getCurrentId());
}

/// A sum as two signed digits of radix 31.
pub inline fn splitDigits(sum: i32) struct { low: i8, high: i8 } {
    const high = (sum * digit_reciprocal + (1 << 14)) >> 15;
    return .{ .low = @intCast(sum - high * digit_radix), .high = @intCast(high) };
}

test "digits of every possible sum are small and join to the sum" {
    var sum: i32 = -3 * 127;
    while (sum <= 3 * 127) : (sum += 1) {
        const digits = splitDigits(sum);
        try std.testing.expect(@abs(digits.low) <= 15 and @abs(digits.high) <= 12);
        try std.testing.expectEqual(sum, digits.high * @as(i32, digit_radix) + digits.low);
    }
}

/// The sum that a code names, `number` being its index with the sign as the fifth bit.
pub fn sumOf(quad: *const [4]i8, number: usize) i32 {
    const weights = format.decode(.{ .index = @intCast(number % 16), .negative = @intCast(number / 16) });
    var sum: i32 = 0;
    for (weights, quad) |weight, value| sum += @as(i32, weight) * value;
    return sum;
}

const FillBlock = fn (values: *const [format.activation_block_columns]i8, place: TablePlace) void;

/// Calls `check` with the tables of several tokens and blocks, and the values, extremes among them, that they were made of.
pub fn forEachTables(
    comptime fillBlock: FillBlock,
    comptime check: fn (place: TablePlace, values: *const [256]i8) anyerror!void,
) !void {
    var generator = std.Random.DefaultPrng.init(0x5e44_0007);
    const random = generator.random();
    for ([_]usize{ 1, 2, 3, 5, 8 }) |tokens| for ([_]usize{ 1, 3 }) |blocks| {
        errdefer std.debug.print("tokens {} blocks {}\n", .{ tokens, blocks });
        const all = try std.testing.allocator.alignedAlloc(u8, .@"64", tokens * blocks * wide_table_bytes);
        defer std.testing.allocator.free(all);
        const values = try std.testing.allocator.alloc([256]i8, tokens * blocks);
        defer std.testing.allocator.free(values);
        for (values, 0..) |*block, number| for (block) |*value| {
            value.* = switch (number % 3) {
                0 => random.intRangeAtMost(i8, -127, 127),
                1 => if (random.boolean()) 127 else -127,
                else => 127,
            };
        };
        for ([_]bool{ false, true }) |is_checked| for (0..tokens) |token| for (0..blocks) |block| {
            const cell = Cell{ .token = token, .block = block };
            const place = TablePlace{ .all = all.ptr, .tokens = tokens, .blocks = blocks, .cell = cell };
            const of_block = &values[token * blocks + block];
            // All are made before any is looked at, so that none may lie on another.
            if (is_checked) try check(place, of_block) else fillBlock(of_block, place);
        };
    };
}

test "AVX2 makes digits that join to the sums which the codes name" {
    if (comptime !@import("testing.zig").has_avx2) return error.SkipZigTest;
    try forEachTables(@import("sum_tables/avx2.zig").fillBlock, struct {
        fn check(place: TablePlace, values: *const [256]i8) !void {
            const tables = place.narrow();
            for (0..64) |block| for (0..16) |index| {
                const low: i8 = @bitCast(tables[tableOffset(block) + index]);
                const high: i8 = @bitCast(tables[tableOffset(block) + table_high_offset + index]);
                try std.testing.expect(@abs(low) <= 15 and @abs(high) <= 12);
                try std.testing.expectEqual(sumOf(values[block * 4 ..][0..4], index), @as(i32, high) * digit_radix + low);
            };
        }
    }.check);
}

test "tables at hand are used again only for the same stamp, tokens and blocks" {
    var slots: [2]Slot = @splat(.{});
    var memory: [2 * wide_table_bytes]u8 align(64) = undefined;
    const set = Set{ .slots = &slots, .count = 2, .memory = &memory, .bytes_each = wide_table_bytes };
    const Counter = struct {
        var fills: usize = 0;
        fn fillBlock(_: *const [256]i8, _: TablePlace) void {
            fills += 1;
        }
    };
    const values: [4][256]i8 = @splat(@splat(1));
    set.admit();
    for ([_][4]usize{
        // Stamp, first token, first block, fills so far.
        .{ 7, 0, 0, 1 },
        .{ 7, 0, 0, 1 },
        .{ 7, 1, 0, 2 },
        .{ 7, 1, 1, 3 },
        .{ 8, 1, 1, 4 },
        .{ 8, 1, 1, 4 },
        .{ 0, 1, 1, 5 },
        .{ 0, 1, 1, 6 },
    }) |step| {
        const group = Group{
            .stamp = step[0],
            .first_token = step[1],
            .tokens = 1,
            .first_block = step[2],
            .block_end = step[2] + 1,
            .blocks = 2,
            .values = &values,
        };
        try std.testing.expectEqual(@intFromPtr(&memory), @intFromPtr(set.of(Counter.fillBlock, group)));
        try std.testing.expectEqual(step[3], Counter.fills);
    }
    // Slots of threads that are gone are given back when a thread comes that has none.
    for (&slots) |*slot| slot.owner.store(1, .monotonic);
    set.admit();
    try std.testing.expectEqual(null, set.slotOf(1));
    _ = set.of(Counter.fillBlock, .{
        .stamp = 9,
        .first_token = 0,
        .tokens = 1,
        .first_block = 0,
        .block_end = 1,
        .blocks = 1,
        .values = &values,
    });
    try std.testing.expectEqual(7, Counter.fills);
}

test "the tables of an activation block fill its bytes, each once" {
    var seen: [table_bytes]bool = @splat(false);
    for (0..64) |block| for ([_]usize{ 0, table_high_offset }) |digit| for (0..16) |entry| {
        const offset = tableOffset(block) + digit + entry;
        try std.testing.expect(!seen[offset]);
        seen[offset] = true;
    };
}

test "the tables of all tokens and blocks fill their part, each once" {
    for ([_]usize{ 1, 2, 3, 4, 5, 8, 11 }) |tokens| for ([_]usize{ 1, 2, 7 }) |blocks| {
        var seen: [11 * 7]bool = @splat(false);
        for (0..tokens) |token| for (0..blocks) |block| {
            const index = tableIndex(tokens, blocks, token, block);
            try std.testing.expect(index < tokens * blocks and !seen[index]);
            seen[index] = true;
            // A token's neighbour in its four lies beside it.
            if (token % 4 != 0) try std.testing.expectEqual(index - 1, tableIndex(tokens, blocks, token - 1, block));
        };
    };
}

test "the wide tables of all tokens and blocks fill their part, each once" {
    const slots = wide_table_bytes / wide_block_table_bytes;
    for ([_]usize{ 1, 2, 3, 7, 8 }) |tokens| for ([_]usize{ 1, 2, 5 }) |blocks| {
        var seen: [8 * 5 * slots]bool = @splat(false);
        for (0..tokens) |token| for (0..blocks) |block| {
            const place = WidePlace.init(tokens, token, block);
            for (0..slots) |block_of_four| {
                const offset = place.offset + block_of_four * place.stride;
                try std.testing.expectEqual(0, offset % wide_block_table_bytes);
                const slot = offset / wide_block_table_bytes;
                try std.testing.expect(slot < tokens * blocks * slots and !seen[slot]);
                seen[slot] = true;
            }
        };
    };
}
