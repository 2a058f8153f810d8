//! What the exported functions check before any kernel sees a pointer.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("../kernels/prepared.zig");

/// Multiply-adds that are worth waking a thread for: a few microseconds of work.
const dense_work_min = 32_768;
const sherry_work_min = 262_144;
/// Rows of a dense or q8 product that one thread takes at least, so that threads do not share lines of the output.
const row_grain_min = 16;

/// Rows that one thread takes at least of a dense or q8 product.
pub fn rowGrain(columns: usize, tokens: usize) usize {
    return @max(row_grain_min, dense_work_min / (columns *| tokens));
}

/// Tiles that one thread takes at least of a `sherry` product.
pub fn tileGrain(columns: usize, tokens: usize) usize {
    return @max(1, sherry_work_min / (columns *| tokens *| format.tile_rows));
}

/// The pointer, when it is not null and aligned to 64 bytes.
pub fn aligned(comptime T: type, pointer: ?*anyopaque) ?[*]align(64) T {
    const address = pointer orelse return null;
    if (@intFromPtr(address) % 64 != 0) return null;
    return @ptrCast(@alignCast(address));
}

pub fn alignedConst(comptime T: type, pointer: ?*const anyopaque) ?[*]align(64) const T {
    const address = pointer orelse return null;
    if (@intFromPtr(address) % 64 != 0) return null;
    return @ptrCast(@alignCast(address));
}

/// The product of sizes; null when one is zero or the product overflows.
pub fn product(sizes: []const usize) ?usize {
    var result: usize = 1;
    for (sizes) |size| {
        if (size == 0) return null;
        result = std.math.mul(usize, result, size) catch return null;
    }
    return result;
}

/// Whether `bytes` are enough for B tokens of K prepared columns.
pub fn holdsPrepared(bytes: usize, tokens: usize, columns: usize) bool {
    const layout = prepared.Layout.init(tokens, columns) orelse return false;
    return bytes >= layout.bytes;
}
