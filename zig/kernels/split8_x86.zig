//! One chunk of a `split8` plane times its activations: what the AVX2 variants of split8_linear.zig and split8_upper.zig
//! share.
const format = @import("../format.zig");
const x86 = @import("x86.zig");

/// Rows computed side by side: their accumulators and one chunk's activations fill the sixteen registers.
pub const rows_together = 4;

/// The activations of one chunk of 64 columns: those of the low halves of its bytes, those of the high halves.
pub const Values = struct { low: x86.Bytes, high: x86.Bytes };

pub inline fn loadValues(x: [*]const u8) Values {
    return .{ .low = x86.load(x), .high = x86.load(x + format.split8.chunk_bytes) };
}

/// Adds the products of the chunk's 64 nibbles at `plane` to sixteen words.
pub inline fn addChunk(words: *x86.Words, plane: [*]const u8, values: Values) void {
    const bytes = x86.load(plane);
    const mask: x86.Bytes = @splat(15);
    const low = x86.multiplyAddBytes(bytes & mask, values.low);
    const high = x86.multiplyAddBytes(bytes >> @splat(4), values.high);
    words.* = words.* +% (low +% high);
}
