//! sum_tables.zig's digits with AVX2, the tables of sixteen blocks of four at a time.
const format = @import("../../format.zig");
const sum_tables = @import("../sum_tables.zig");
const x86 = @import("../x86.zig");

const Bytes = x86.Bytes;
const Words = x86.Words;
const DoubleWords = x86.DoubleWords;
const block_columns = format.activation_block_columns;

pub fn fillBlock(values: *const [block_columns]i8, place: sum_tables.TablePlace) void {
    const tables = place.narrow();
    for (0..4) |part| fillTables(values[part * 64 ..][0..64], tables[part * 512 ..][0..512]);
}

/// The digit tables of sixteen blocks of four.
fn fillTables(values: *const [64]i8, tables: *[512]u8) void {
    const digits = digitsOf(values);
    inline for (digits.low, digits.high, 0..) |low, high, pair| {
        tables[pair * 32 ..][0..32].* = low;
        tables[sum_tables.table_high_offset + pair * 32 ..][0..32].* = high;
    }
}

/// The low and the high digits of sixteen blocks of four: vector i holds those of block i in its first lane, those of
/// block i + 8 in its second, in the index's order.
pub const Digits = struct { low: [8]Bytes, high: [8]Bytes };

/// Word w of a vector speaks of block w until the transposition.
pub inline fn digitsOf(values: *const [64]i8) Digits {
    const sums = blockSums(values);
    var low: [8]Bytes = undefined;
    var high: [8]Bytes = undefined;
    // A byte vector takes entries e (first eight bytes of each lane) and e + 8 (last eight).
    inline for (&low, &high, 0..) |*low_bytes, *high_bytes, entry| {
        const first = splitDigits(sums[entry]);
        const second = splitDigits(sums[entry + 8]);
        low_bytes.* = x86.packWords(first.low, second.low);
        high_bytes.* = x86.packWords(first.high, second.high);
    }
    return .{ .low = transpose(low), .high = transpose(high) };
}

inline fn splitDigits(sums: Words) struct { low: Words, high: Words } {
    const high = x86.multiplyHighRounded(sums, @splat(sum_tables.digit_reciprocal));
    return .{ .low = sums -% high *% @as(Words, @splat(sum_tables.digit_radix)), .high = high };
}

/// The sixteen sums that an index can name, in the index's order (format.decode with the first sign +).
inline fn blockSums(values: *const [64]i8) [16]Words {
    var sums: [16]Words = undefined;
    inline for (0..format.block_columns) |zero_position| {
        var kept: [3]Words = undefined;
        comptime var count = 0;
        inline for (0..format.block_columns) |position| {
            if (position == zero_position) continue;
            kept[count] = valuesAt(values, position);
            count += 1;
        }
        const same = kept[1] +% kept[2];
        const opposite = kept[1] -% kept[2];
        sums[zero_position * 4 + 0] = kept[0] +% same;
        sums[zero_position * 4 + 1] = kept[0] +% opposite;
        sums[zero_position * 4 + 2] = kept[0] -% opposite;
        sums[zero_position * 4 + 3] = kept[0] -% same;
    }
    return sums;
}

/// The value at `position` (0..3) of each of sixteen blocks, widened; blocks 0-7 in the first lane, 8-15 in the second.
inline fn valuesAt(values: *const [64]i8, comptime position: usize) Words {
    var widened: [2]DoubleWords = undefined;
    inline for (&widened, 0..) |*words, part| {
        // Blocks 0-3 and 8-11, then 4-7 and 12-15, so that the pack, which works in each lane, leaves them in order.
        const bytes: [*]const u8 = @ptrCast(values[part * 16 ..]);
        const blocks: DoubleWords = @bitCast(x86.loadLanes(bytes, bytes + 32));
        words.* = blocks << @splat(24 - 8 * position) >> @splat(24);
    }
    return x86.packDoubleWords(widened[0], widened[1]);
}

/// From one vector an entry (and its partner eight further) to one vector a block: byte e of a lane becomes entry e of
/// that lane's block, the first lane's block b beside the second lane's block b + 8.
inline fn transpose(entries: [8]Bytes) [8]Bytes {
    var rows = entries;
    // Each step joins neighbours, so that after three of them the low half of a lane holds entries 0-7 of a block in
    // vectors 0-3 and the same block's entries 8-15 in vectors 4-7.
    inline for (0..4) |pair| {
        rows[pair] = x86.interleaveLowBytes(entries[2 * pair], entries[2 * pair + 1]);
        rows[4 + pair] = x86.interleaveHighBytes(entries[2 * pair], entries[2 * pair + 1]);
    }
    inline for ([_]usize{ 0, 4 }) |side| {
        var words: [4]Words = undefined;
        inline for (&words, rows[side..][0..4]) |*word, bytes| word.* = @bitCast(bytes);
        const first: DoubleWords = @bitCast(x86.interleaveLowWords(words[0], words[1]));
        const second: DoubleWords = @bitCast(x86.interleaveHighWords(words[0], words[1]));
        const third: DoubleWords = @bitCast(x86.interleaveLowWords(words[2], words[3]));
        const fourth: DoubleWords = @bitCast(x86.interleaveHighWords(words[2], words[3]));
        rows[side + 0] = @bitCast(x86.interleaveLowDoubleWords(first, third));
        rows[side + 1] = @bitCast(x86.interleaveHighDoubleWords(first, third));
        rows[side + 2] = @bitCast(x86.interleaveLowDoubleWords(second, fourth));
        rows[side + 3] = @bitCast(x86.interleaveHighDoubleWords(second, fourth));
    }
    var blocks: [8]Bytes = undefined;
    inline for (0..4) |pair| {
        blocks[2 * pair] = x86.interleaveLowHalves(rows[pair], rows[4 + pair]);
        blocks[2 * pair + 1] = x86.interleaveHighHalves(rows[pair], rows[4 + pair]);
    }
    return blocks;
}
