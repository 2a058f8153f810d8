//! What the training library's exported functions check before any kernel sees a pointer.
const std = @import("std");

/// Whether an array of these sizes can exist: none is zero, and 8 bytes for each element still count in an isize, which
/// leaves room for every offset that a kernel computes.
pub fn areSizes(sizes: []const usize) bool {
    var result: usize = 8;
    for (sizes) |size| {
        if (size == 0) return false;
        result = std.math.mul(usize, result, size) catch return false;
    }
    return result <= std.math.maxInt(isize);
}

/// Whether all pointers are there and lie where their element type may lie.
pub fn arePointers(pointers: anytype) bool {
    inline for (pointers) |pointer| {
        const address = opaqueNumber(if (pointer) |present| @intFromPtr(present) else return false);
        if (address % @alignOf(std.meta.Child(@typeInfo(@TypeOf(pointer)).optional.child)) != 0) return false;
    }
    return true;
}

/// The same number, of which the compiler knows nothing: a pointer's type promises its alignment, and a check of what is
/// promised would be left out.
inline fn opaqueNumber(number: usize) usize {
    return asm volatile (""
        : [result] "=r" (-> usize),
        : [number] "0" (number),
    );
}
