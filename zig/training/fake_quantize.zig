//! Fake quantization: the effective weight Q(W) + lambda W of a layer in training, W f32 [R, K].
//!
//! | method | source | t | scale |
//! | --- | --- | --- | --- |
//! | sherry | arXiv 2601.07892, section 3 | least of each four 0, else the sign | kept magnitudes' sum / (3/4 length) |
//! | absmean | BitNet b1.58, arXiv 2402.17764 | 0 where abs(w) < scale / 2, else the sign | mean magnitude |
//! | twn | arXiv 1605.04711 | 0 where abs(w) <= 0.75 mean magnitude, else the sign | mean magnitude of the others |
//! | binary | arXiv 1603.05279 | the sign | mean magnitude |
//!
//! Q = scale t. Ties and zeros are the packer's (kernels/packing/sherry_encode.zig): of equal magnitudes the first is
//! dropped, a kept zero counts as positive. Sums are f64, in the row's order, rows in order, as the packer takes them, so
//! that scales of tensor, channel and group have the packer's bits; a zero of Q is +0.
//!
//! The straight-through gradient is the identity (lambda's part adds to it), so there is nothing to compute backward.
//!
//! Unit of work: one row. A range `group_columns` divides K; per channel it is K. Per tensor the ranges are rows, and one
//! scale, put together by the caller, serves all.

pub const Method = enum(u32) { none = 0, sherry = 1, absmean = 2, twn = 3, binary = 4 };

pub const Arguments = extern struct {
    /// [R, K]
    w: [*]const f32,
    columns: usize,
    group_columns: usize,
    method: Method,
    /// [R, K / group_columns], of `magnitudes` and `above`.
    sums: [*]f64 = undefined,
    /// As sums: how many magnitudes a sum of `above` has.
    counts: [*]u64 = undefined,
    /// Scales, and thresholds of twn, as sums; one each when `is_tensor` is 1.
    scales: [*]const f32 = undefined,
    thresholds: [*]const f32 = undefined,
    is_tensor: u32 = 0,
    lambda: f32 = 0,
    /// [R, K]
    effective: [*]f32 = undefined,
    /// [R, K / 4], of `zeroPositions`.
    positions: [*]u8 = undefined,

    pub fn groups(self: *const Arguments) usize {
        return self.columns / self.group_columns;
    }
};
