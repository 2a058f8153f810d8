//! The rotation that a `split8` head's coarse plane is made in: random signs, then a Walsh-Hadamard transform, so that a few
//! heavy columns of the head or of the activations become a little of every column (docs/head.md, "A coarser first pass").
//!
//! The transform is not normalised: it multiplies lengths by sqrt(H), with H the columns that are transformed together.
//! Each of its steps adds or subtracts two elements, so that floats come out with the same bits however many are computed
//! at once, and integers exactly.
//!
//! Legend: K columns, P columns padded to whole activation blocks, H columns of one transform.
const std = @import("std");
const format = @import("../format.zig");

/// Where the signs' generator starts: "SHERRY_R" in ASCII.
const sign_seed: u64 = 0x5348_4552_5259_5f52;
/// Rows are transformed on the stack; no model's hidden size comes near it.
pub const padded_columns_max = 16384;
/// Elements that are added or subtracted at once.
const vector_length = 8;

pub const Rotation = struct {
    padded_columns: usize,
    /// The largest power of two that divides the padded columns: at least 256.
    transform_columns: usize,

    /// Null when there is no column, or more than `padded_columns_max`.
    pub fn init(columns: usize) ?Rotation {
        if (columns == 0 or columns > padded_columns_max) return null;
        const padded_columns = format.roundUp(columns, format.activation_block_columns).?;
        return .{ .padded_columns = padded_columns, .transform_columns = padded_columns & (~padded_columns +% 1) };
    }
};

/// Signs of columns 64 * index .. 64 * index + 63, set where negative: output number `index` of SplitMix64.
pub inline fn signsOf(index: usize) u64 {
    var mixed = sign_seed +% (@as(u64, index) +% 1) *% 0x9e37_79b9_7f4a_7c15;
    mixed = (mixed ^ (mixed >> 30)) *% 0xbf58_476d_1ce4_e5b9;
    mixed = (mixed ^ (mixed >> 27)) *% 0x94d0_49bb_1331_11eb;
    return mixed ^ (mixed >> 31);
}

pub inline fn isNegative(column: usize) bool {
    return signsOf(column / 64) >> @intCast(column % 64) & 1 != 0;
}

/// Transforms `values` [P] (f32 or i32) in place, H at a time; the signs are the caller's affair.
pub inline fn transform(comptime T: type, values: []T, transform_columns: usize) void {
    var first: usize = 0;
    while (first < values.len) : (first += transform_columns) {
        const part = values[first..][0..transform_columns];
        inline for (.{ 1, 2, 4 }) |half| addPairsWithin(T, part, half);
        var half: usize = vector_length;
        while (half < transform_columns) : (half *= 2) addPairs(T, part, half);
    }
}

/// One step whose pairs lie `half` apart, inside vectors.
inline fn addPairsWithin(comptime T: type, part: []T, comptime half: usize) void {
    const Vector = @Vector(vector_length, T);
    comptime var lows: [vector_length]i32 = undefined;
    comptime var highs: [vector_length]i32 = undefined;
    comptime var is_second: [vector_length]bool = undefined;
    inline for (0..vector_length) |i| {
        lows[i] = i & ~half;
        highs[i] = i | half;
        is_second[i] = i & half != 0;
    }
    var index: usize = 0;
    while (index < part.len) : (index += vector_length) {
        const vector: Vector = part[index..][0..vector_length].*;
        const a = @shuffle(T, vector, undefined, lows);
        const b = @shuffle(T, vector, undefined, highs);
        part[index..][0..vector_length].* = @select(T, is_second, a - b, a + b);
    }
}

inline fn addPairs(comptime T: type, part: []T, half: usize) void {
    const Vector = @Vector(vector_length, T);
    var group: usize = 0;
    while (group < part.len) : (group += 2 * half) {
        var index = group;
        while (index < group + half) : (index += vector_length) {
            const a: Vector = part[index..][0..vector_length].*;
            const b: Vector = part[index + half ..][0..vector_length].*;
            part[index..][0..vector_length].* = a + b;
            part[index + half ..][0..vector_length].* = a - b;
        }
    }
}

test "the transform is Hadamard's matrix; integers and floats alike" {
    var source = std.Random.DefaultPrng.init(0x4ada);
    const random = source.random();
    for ([_]usize{ 256, 512 }) |length| for ([_]usize{ 256, length }) |transform_columns| {
        var integers: [512]i32 = undefined;
        var floats: [512]f32 = undefined;
        var original: [512]i32 = undefined;
        for (&original, &integers, &floats) |*value, *integer, *float| {
            value.* = random.intRangeAtMost(i32, -127, 127);
            integer.* = value.*;
            float.* = @floatFromInt(value.*);
        }
        transform(i32, integers[0..length], transform_columns);
        transform(f32, floats[0..length], transform_columns);
        for (0..length) |row| {
            const first = row / transform_columns * transform_columns;
            var expected: i32 = 0;
            for (0..transform_columns) |column| {
                const sign: i32 = if (@popCount(row % transform_columns & column) % 2 == 0) 1 else -1;
                expected += sign * original[first + column];
            }
            try std.testing.expectEqual(expected, integers[row]);
            try std.testing.expectEqual(@as(f32, @floatFromInt(expected)), floats[row]);
        }
    };
}

test "sizes, and signs of both kinds that differ from column to column" {
    try std.testing.expectEqual(Rotation{ .padded_columns = 256, .transform_columns = 256 }, Rotation.init(1).?);
    try std.testing.expectEqual(Rotation{ .padded_columns = 2048, .transform_columns = 2048 }, Rotation.init(2048).?);
    try std.testing.expectEqual(Rotation{ .padded_columns = 1536, .transform_columns = 512 }, Rotation.init(1500).?);
    try std.testing.expectEqual(null, Rotation.init(0));
    try std.testing.expectEqual(padded_columns_max, Rotation.init(padded_columns_max).?.transform_columns);
    try std.testing.expectEqual(null, Rotation.init(padded_columns_max + 1));
    var negative: usize = 0;
    for (0..4096) |column| negative += @intFromBool(isNegative(column));
    try std.testing.expect(negative > 1900 and negative < 2200);
}
