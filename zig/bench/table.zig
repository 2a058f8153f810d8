//! One instruction set level's functions of the bench library.
const kernel = @import("../kernels/kernel.zig");

pub const Table = extern struct {
    read: *const kernel.Run,
    two_bit_prepare: *const kernel.Run,
    two_bit_linear: *const kernel.Run,
    /// Null where the level has no vector unit to speak of.
    peak_integers: ?*const kernel.Run,
    peak_floats: ?*const kernel.Run,
};
