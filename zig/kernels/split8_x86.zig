//! One chunk of a `split8` plane times its activations: what the AVX2 variants of split8_linear.zig and split8_upper.zig
//! share.
const format = @import("../format.zig");
const x86 = @import("x86.zig");

/// Rows computed side by side: their accumulators and one chunk's activations fill the sixteen registers.
pub const rows_together = 4;

/// What belongs to the 64 columns of one chunk: activations or nibbles of the low halves of its bytes, of the high halves.
pub const Values = struct { low: x86.Bytes, high: x86.Bytes };

pub inline fn loadValues(x: [*]const u8) Values {
    return .{ .low = x86.load(x), .high = x86.load(x + format.split8.chunk_bytes) };
}

pub inline fn loadNibbles(plane: [*]const u8) Values {
    const bytes = x86.load(plane);
    return .{ .low = bytes & @as(x86.Bytes, @splat(15)), .high = bytes >> @splat(4) };
}

/// Adds the products of the 64 nibbles at `plane` to sixteen words.
pub inline fn addChunk(words: *x86.Words, plane: [*]const u8, values: Values) void {
    const nibbles = loadNibbles(plane);
    const low = x86.multiplyAddBytes(nibbles.low, values.low);
    const high = x86.multiplyAddBytes(nibbles.high, values.high);
    words.* = words.* +% (low +% high);
}
