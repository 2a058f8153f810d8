//! What every kernel looks like to the floors above: a function over a range of independent units of work. The thread
//! pool cuts the range; which instruction set runs is decided once, by the table that the function was taken from.

/// `arguments` points to the operation's own `Arguments`; units `begin`..`end` (its facade says what a unit is) are
/// computed. Different ranges write different bytes of the output, so they may run at the same time.
pub const Run = fn (arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void;

/// One instruction set's implementations. All levels give the same bits: integer sums are exact, and every float
/// reduction has one order (see lanes.zig), which all of them keep.
pub const Table = extern struct {
    prepare: *const Run,
    sherry_linear: *const Run,
    q8_linear: *const Run,
    q6k_linear: *const Run,
    int4_linear: *const Run,
    split8_linear: *const Run,
    split8_upper: *const Run,
    split8_coarse: *const Run,
    split8_coarse_build: *const Run,
    dense_linear: *const Run,
    embedding: *const Run,
    rms_norm: *const Run,
    rotary: *const Run,
    key_value_store: *const Run,
    attention: *const Run,
    swiglu: *const Run,
    add: *const Run,
    softmax: *const Run,
    argmax: *const Run,
};
