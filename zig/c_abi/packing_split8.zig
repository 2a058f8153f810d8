//! The packer's operation for `split8` tensors; packing.zig has the others and says how they report.
const checks = @import("checks.zig");
const format = @import("../format.zig");
const split8_quantize = @import("../kernels/packing/split8_quantize.zig");
const Statistics = @import("../kernels/packing/statistics.zig").Statistics;
const Status = @import("status.zig").Status;

/// Rows f32 [R][K] to the rows of both planes of a `split8` tensor, [R][K padded to 64, two a byte] each, and their scales
/// f32 [R]. Adds what is lost to `statistics`.
pub export fn sherry_pack_split8(
    source: ?[*]const f32,
    rows: usize,
    columns: usize,
    high: ?[*]u8,
    low: ?[*]u8,
    plane_bytes: usize,
    scales: ?[*]f32,
    scales_count: usize,
    statistics: ?*Statistics,
) callconv(.c) i32 {
    const layout = format.split8.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    const count = checks.product(&.{ rows, columns }) orelse return Status.argument_invalid.code();
    if (checks.product(&.{ count, 4 }) == null) return Status.argument_invalid.code();
    if (plane_bytes != rows * layout.row_bytes or scales_count != rows) return Status.argument_invalid.code();
    const from = source orelse return Status.argument_invalid.code();
    const high_plane = high orelse return Status.argument_invalid.code();
    const low_plane = low orelse return Status.argument_invalid.code();
    const row_scales = scales orelse return Status.argument_invalid.code();
    const total = statistics orelse return Status.argument_invalid.code();
    split8_quantize.run(
        from[0..count],
        columns,
        high_plane[0..plane_bytes],
        low_plane[0..plane_bytes],
        row_scales[0..rows],
        total,
    );
    return Status.ok.code();
}

const std = @import("std");
const invalid = Status.argument_invalid.code();

test "null pointers, lengths, sizes, overflow" {
    var weights: [64]f32 = @splat(2);
    var high: [32]u8 = undefined;
    var low: [32]u8 = undefined;
    var scales: [2]f32 = undefined;
    var total = Statistics{};
    const run = sherry_pack_split8;
    try std.testing.expectEqual(invalid, run(null, 1, 64, &high, &low, 32, &scales, 1, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, null, &low, 32, &scales, 1, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, &high, null, 32, &scales, 1, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, &high, &low, 32, null, 1, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, &high, &low, 32, &scales, 1, null));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, &high, &low, 31, &scales, 1, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1, 64, &high, &low, 32, &scales, 2, &total));
    try std.testing.expectEqual(invalid, run(&weights, 0, 64, &high, &low, 0, &scales, 0, &total));
    try std.testing.expectEqual(invalid, run(&weights, 1 << 40, 1 << 40, &high, &low, 32, &scales, 1, &total));
    try std.testing.expectEqual(Status.ok.code(), run(&weights, 1, 64, &high, &low, 32, &scales, 1, &total));
}
