//! The float half of sherry_linear.zig's contract with AVX2 and AVX-512: integer sums in, running totals of a tile,
//! finished outputs out.
const elements = @import("../elements.zig");
const format = @import("../../format.zig");
const sherry_linear = @import("../sherry_linear.zig");
const x86 = @import("../x86.zig");

const Floats = x86.Floats;
const Operands = sherry_linear.Operands;

/// The totals of a tile for one token, rows in natural order.
pub const Totals = [format.tile_rows]f32;

/// Where the weights' scales enter: once, at the end of a row, or in every term, read as the element they are stored as.
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

/// The scales of a segment's group as they are stored, which addTerms widens where it needs them: the form for one token.
pub const StoredScales = struct {
    /// The 64 scales of the group; not read when the weighting is by row.
    group_scales: [*]const u8,

    pub inline fn of(self: StoredScales, comptime weighting: Weighting, comptime count: usize, row: usize) @Vector(count, f32) {
        return switch (weighting) {
            .row => @compileError("a row's scale is not its segments'"),
            .group_f32 => loadScales(count, .f32, self.group_scales, row),
            .group_f16 => loadScales(count, .f16, self.group_scales, row),
            .group_bf16 => loadScales(count, .bf16, self.group_scales, row),
        };
    }
};

/// The same widened once, `count` a vector, for the `rows` rows of the tile from `first_row` on: the form for several
/// tokens.
pub fn WidenedScales(comptime count: usize, comptime first_row: usize, comptime rows: usize) type {
    return struct {
        vectors: [rows / count]@Vector(count, f32),

        pub inline fn init(comptime weighting: Weighting, stored_scales: StoredScales) @This() {
            var self: @This() = undefined;
            if (weighting != .row) {
                inline for (&self.vectors, 0..) |*vector, part| {
                    vector.* = stored_scales.of(weighting, count, first_row + part * count);
                }
            }
            return self;
        }

        pub inline fn of(self: @This(), comptime _: Weighting, comptime _: usize, comptime row: usize) @Vector(count, f32) {
            return self.vectors[(row - first_row) / count];
        }
    };
}

/// Adds one segment's terms of one token. `sums`: vectors of integers, the rows from `first_row` of the tile on in order.
/// `scales`: those of their group, in either form.
pub inline fn addTerms(
    comptime weighting: Weighting,
    totals: *Totals,
    comptime first_row: usize,
    sums: anytype,
    activation_scale: f32,
    scales: anytype,
) void {
    inline for (sums, 0..) |integers, part| {
        const count = @typeInfo(@TypeOf(integers)).vector.len;
        const row = first_row + part * count;
        const of_activations: @Vector(count, f32) = @splat(activation_scale);
        const factor = if (weighting == .row) of_activations else of_activations * scales.of(weighting, count, row);
        const before: @Vector(count, f32) = totals[row..][0..count].*;
        totals[row..][0..count].* = before + @as(@Vector(count, f32), @floatFromInt(integers)) * factor;
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

/// The scales of `count` rows from `row` on, widened, given where the scale of row 0 is.
inline fn loadScales(comptime count: usize, comptime element: format.Element, scales: [*]const u8, row: usize) @Vector(count, f32) {
    return elements.loadMany(count, element, stored(element, scales) + row);
}

inline fn stored(comptime element: format.Element, scales: [*]const u8) [*]const elements.Stored(element) {
    return @ptrCast(@alignCast(scales));
}

/// Writes a tile's outputs of one token, multiplied by the rows' scales when the weighting is by row; rows past the
/// matrix's end are left alone.
pub fn finish(operands: Operands, tile: usize, token: usize, totals: *Totals) void {
    if (operands.granularity != .group) scaleRows(operands, tile, totals);
    const first_row = tile * format.tile_rows;
    const y = operands.y + token * operands.rows + first_row;
    const count = @min(format.tile_rows, operands.rows - first_row);
    if (count == format.tile_rows) {
        y[0..format.tile_rows].* = totals.*;
    } else {
        @memcpy(y[0..count], totals[0..count]);
    }
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
                inline else => |element| loadScales(8, element, operands.scales, tile * format.tile_rows + row),
            },
            .group => unreachable,
        };
        const before: Floats = totals[row..][0..8].*;
        totals[row..][0..8].* = before * scales;
    }
}
