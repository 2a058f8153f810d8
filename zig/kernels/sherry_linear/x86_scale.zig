//! The float half of sherry_linear.zig's contract with AVX2 and AVX-512: integer sums in, running totals of a tile,
//! finished outputs out.
const std = @import("std");
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const sherry_linear = @import("../sherry_linear.zig");
const x86 = @import("../x86.zig");

const Floats = x86.Floats;
const Operands = sherry_linear.Operands;

/// The totals of a tile for one token, in the order of a level's `row_order`.
pub const Totals = [format.tile_rows]f32;

/// The row of a tile that each place of its totals belongs to. A level's sums come in the order that costs it least, and only
/// what is done once for many of them puts them in another one.
pub const RowOrder = [format.tile_rows]u8;

pub const natural_order: RowOrder = std.simd.iota(u8, format.tile_rows);

/// Where the weights' scales enter: once, at the end of a row, or in every segment, read as the element they are stored as.
/// A comptime parameter, so that no inner loop asks.
pub const Weighting = enum { row, group_f32, group_f16, group_bf16 };

pub fn weightingOf(operands: Operands) Weighting {
    if (operands.granularity != .group) return .row;
    return switch (operands.scale_element) {
        .f32 => .group_f32,
        .f16 => .group_f16,
        .bf16 => .group_bf16,
    };
}

/// The scales of a segment's group as they are stored, which addSums widens where it needs them: the form for one token,
/// whose totals are in natural order.
pub const StoredScales = struct {
    /// The 64 scales of the group; not read when the weighting is by row.
    group_scales: [*]const u8,

    pub inline fn of(self: StoredScales, comptime weighting: Weighting, comptime count: usize, place: usize) @Vector(count, f32) {
        const element = comptime elementOf(weighting);
        return elements.loadMany(count, element, stored(element, self.group_scales) + place);
    }
};

/// The same widened once, `count` a vector, for the `places` places from `first_place` on: the form for several tokens.
pub fn WidenedScales(
    comptime count: usize,
    comptime first_place: usize,
    comptime places: usize,
    comptime row_order: *const RowOrder,
) type {
    return struct {
        vectors: [places / count]@Vector(count, f32),

        pub inline fn init(comptime weighting: Weighting, group_scales: [*]const u8) @This() {
            var self: @This() = undefined;
            if (weighting == .row) return self;
            const element = comptime elementOf(weighting);
            const Stored = elements.Stored(element);
            const scales = stored(element, group_scales);
            const all: @Vector(format.tile_rows, Stored) = scales[0..format.tile_rows].*;
            inline for (&self.vectors, 0..) |*vector, part| {
                const place = first_place + part * count;
                vector.* = if (comptime isNatural(row_order))
                    elements.loadMany(count, element, scales + place)
                else
                    elements.widenMany(count, element, @shuffle(Stored, all, undefined, row_order[place..][0..count].*));
            }
            return self;
        }

        pub inline fn of(self: @This(), comptime _: Weighting, comptime _: usize, comptime place: usize) @Vector(count, f32) {
            return self.vectors[(place - first_place) / count];
        }
    };
}

fn elementOf(comptime weighting: Weighting) format.Element {
    return switch (weighting) {
        .row => @compileError("a row's scale is not its segments'"),
        .group_f32 => .f32,
        .group_f16 => .f16,
        .group_bf16 => .bf16,
    };
}

/// Bytes of a tile's scales of one group.
pub fn bytesOf(comptime weighting: Weighting) usize {
    return format.tile_rows * elementOf(weighting).bytes();
}

fn isNatural(comptime row_order: *const RowOrder) bool {
    return std.mem.eql(u8, row_order, &natural_order);
}

/// Where a segment lies in its activation block. A comptime parameter, so that no token asks.
pub const Position = enum {
    only,
    first,
    middle,
    last,

    pub fn of(is_first: bool, is_last: bool) Position {
        if (is_first) return if (is_last) .only else .first;
        return if (is_last) .last else .middle;
    }
};

/// Adds one segment's sums of one token. `sums`: vectors of integers, those of the places from `first_place` on. `scales`:
/// those of their group, in either form. `block_sums`: what the segments of the activation block have come to so far, which
/// goes to the totals with the last one; not used when the weighting is by row, where a block is one segment.
pub inline fn addSums(
    comptime weighting: Weighting,
    totals: *Totals,
    block_sums: *Totals,
    comptime position: Position,
    comptime first_place: usize,
    sums: anytype,
    activation_scale: f32,
    scales: anytype,
) void {
    const count = @typeInfo(@TypeOf(sums[0])).vector.len;
    const Vector = @Vector(count, f32);
    var weighted: [sums.len]Vector = undefined;
    inline for (&weighted, sums) |*vector, integers| vector.* = @floatFromInt(integers);
    if (weighting != .row) {
        if (position == .first or position == .only) {
            inline for (&weighted, 0..) |*vector, part| vector.* *= scales.of(weighting, count, first_place + part * count);
        } else {
            inline for (&weighted, 0..) |*vector, part| {
                const place = first_place + part * count;
                vector.* = @mulAdd(Vector, vector.*, scales.of(weighting, count, place), block_sums[place..][0..count].*);
            }
        }
        if (position == .first or position == .middle) {
            inline for (weighted, 0..) |vector, part| block_sums[first_place + part * count ..][0..count].* = vector;
            return;
        }
    }
    const of_activations: Vector = @splat(activation_scale);
    inline for (weighted, 0..) |vector, part| {
        const total = totals[first_place + part * count ..][0..count];
        total.* = @mulAdd(Vector, vector, of_activations, total.*);
    }
}

/// Sums of eight rows a vector, in order, from sums of sixteen as joining digits leaves them.
pub inline fn widened(words: anytype) [2 * words.len]x86.DoubleWords {
    var sums: [2 * words.len]x86.DoubleWords = undefined;
    inline for (words, 0..) |sixteen, number| {
        // A word beside itself is a 32-bit number whose upper half is the word: a shift extends the sign.
        const low: x86.DoubleWords = @bitCast(x86.interleaveLowWords(sixteen, sixteen));
        const high: x86.DoubleWords = @bitCast(x86.interleaveHighWords(sixteen, sixteen));
        sums[2 * number] = low >> @splat(16);
        sums[2 * number + 1] = high >> @splat(16);
    }
    return sums;
}

inline fn stored(comptime element: format.Element, scales: [*]const u8) [*]const elements.Stored(element) {
    return @ptrCast(@alignCast(scales));
}

/// A tile's totals of one token before the call's activation blocks: none, or what `finish` left of the blocks before.
pub fn begin(comptime row_order: *const RowOrder, operands: Operands, tile: usize, token: usize, totals: *Totals) void {
    totals.* = @splat(0);
    if (operands.first_block == 0) return;
    const rows = rowsOf(operands, tile, token);
    @memcpy(totals[0..rows.len], rows);
    if (comptime !isNatural(row_order)) totals.* = @shuffle(f32, totals.*, undefined, row_order.*);
}

/// Writes a tile's totals of one token or, after the last activation block, its outputs: multiplied by the rows' scales when
/// the weighting is by row. Rows past the matrix's end are left alone.
pub fn finish(comptime row_order: *const RowOrder, operands: Operands, tile: usize, token: usize, totals: *Totals) void {
    if (comptime !isNatural(row_order)) totals.* = @shuffle(f32, totals.*, undefined, placesOf(row_order));
    if (operands.granularity != .group and operands.isLast()) scaleRows(operands, tile, totals);
    const rows = rowsOf(operands, tile, token);
    if (rows.len == format.tile_rows) {
        rows[0..format.tile_rows].* = totals.*;
    } else {
        @memcpy(rows, totals[0..rows.len]);
    }
}

/// Where a tile's outputs of one token are.
fn rowsOf(operands: Operands, tile: usize, token: usize) []f32 {
    const first_row = tile * format.tile_rows;
    const count = @min(format.tile_rows, operands.rows - first_row);
    return operands.y[token * operands.rows + first_row ..][0..count];
}

/// The place of each row.
fn placesOf(comptime row_order: *const RowOrder) [format.tile_rows]i32 {
    var places: [format.tile_rows]i32 = undefined;
    for (row_order, 0..) |row, place| places[row] = place;
    return places;
}

fn scaleRows(operands: Operands, tile: usize, totals: *Totals) void {
    var row: usize = 0;
    while (row < format.tile_rows) : (row += 8) {
        const scales: Floats = switch (operands.granularity) {
            .tensor => @splat(switch (operands.scale_element) {
                // Its only scale: loading eight would reach past the end.
                inline else => |element| elements.widen(element, stored(element, operands.scales)[0]),
            }),
            .channel => switch (operands.scale_element) {
                inline else => |element| elements.load(element, stored(element, operands.scales) + tile * format.tile_rows + row),
            },
            .group => unreachable,
        };
        const before: Floats = totals[row..][0..8].*;
        totals[row..][0..8].* = before * scales;
    }
}
