//! Small operations on arrays: y += x, a constant everywhere, the sum of squares that gradient clipping needs.
//!
//! The sum is f64 in chunks whose size depends on the count alone, each chunk in order, the chunks in order; the levels
//! sum within a chunk in their own order, which changes the last bits of an f64.
//!
//! Units of work: elements for `add` and `fill`, chunks for `sumOfSquares`.

pub const chunks_max = 256;
const chunk_elements_min = 8192;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        count: usize,
        x: [*]const Float = undefined,
        y: [*]Float = undefined,
        value: Float = 0,
        /// [chunks]
        sums: [*]f64 = undefined,
    };
}

/// Elements of a chunk: a multiple of 64, so that there are at most `chunks_max`.
pub fn chunkElements(count: usize) usize {
    const share = (count + chunks_max - 1) / chunks_max;
    return @max(chunk_elements_min, (share + 63) / 64 * 64);
}
