//! The packer's operations: checkpoint elements to f32, the 3:4 grid, Sparse-AbsMean sums, codes, q8, dense elements.
//! They run on the caller's thread. Every buffer comes with its length, and the lengths must be exactly what the sizes
//! say. A function that can meet a number that does not fit writes the number's place to `position` and returns
//! not_finite.
//!
//! Legend: R rows of a tile, K columns, G groups of a row = K / group_columns rounded up, S = K / 32 rounded up.
const std = @import("std");
const format = @import("../format.zig");
const widen = @import("../kernels/packing/widen.zig");
const narrow = @import("../kernels/packing/narrow.zig");
const grid_scan = @import("../kernels/packing/grid_scan.zig");
const group_sums = @import("../kernels/packing/group_sums.zig");
const sherry_encode = @import("../kernels/packing/sherry_encode.zig");
const q8_quantize = @import("../kernels/packing/q8_quantize.zig");
const int4_quantize = @import("../kernels/packing/int4_quantize.zig");
const Statistics = @import("../kernels/packing/statistics.zig").Statistics;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// `count` elements (0 f32, 1 f16, 2 bf16) of a checkpoint, at any alignment, to f32. not_finite: an infinity or a NaN.
pub export fn sherry_pack_widen(
    source: ?*const anyopaque,
    source_bytes: usize,
    element: u32,
    destination: ?[*]f32,
    count: usize,
    position: ?*u64,
) callconv(.c) i32 {
    const kind = elementOf(element) orelse return Status.argument_invalid.code();
    const from = source orelse return Status.argument_invalid.code();
    const to = destination orelse return Status.argument_invalid.code();
    const place = position orelse return Status.argument_invalid.code();
    if (checks.product(&.{ count, kind.bytes() }) != source_bytes) return Status.argument_invalid.code();
    if (checks.product(&.{ count, 4 }) == null) return Status.argument_invalid.code();
    return placed(widen.run(kind, @ptrCast(from), to[0..count]), place);
}

/// `count` f32 to elements (0 f32, 1 f16, 2 bf16); `destination` is aligned for the element. Adds the rounding to
/// `statistics`. not_finite: a number past the element's range.
pub export fn sherry_pack_narrow(
    source: ?[*]const f32,
    count: usize,
    element: u32,
    destination: ?*anyopaque,
    destination_bytes: usize,
    statistics: ?*Statistics,
    position: ?*u64,
) callconv(.c) i32 {
    const kind = elementOf(element) orelse return Status.argument_invalid.code();
    const from = source orelse return Status.argument_invalid.code();
    const to = destination orelse return Status.argument_invalid.code();
    const total = statistics orelse return Status.argument_invalid.code();
    const place = position orelse return Status.argument_invalid.code();
    if (checks.product(&.{ count, kind.bytes() }) != destination_bytes) return Status.argument_invalid.code();
    if (checks.product(&.{ count, 4 }) == null) return Status.argument_invalid.code();
    if (@intFromPtr(to) % kind.bytes() != 0) return Status.argument_invalid.code();
    return placed(narrow.run(kind, from[0..count], @ptrCast(to), total), place);
}

/// Writes 1 to `on_grid` when tile f32 [R][K] is on the 3:4 grid, its scales then being in alphas f32 [R][S]; else 0.
pub export fn sherry_pack_grid_scan(
    tile: ?[*]const f32,
    rows: usize,
    columns: usize,
    alphas: ?[*]f32,
    alphas_count: usize,
    on_grid: ?*u32,
) callconv(.c) i32 {
    const weights = tileOf(tile, rows, columns) orelse return Status.argument_invalid.code();
    const to = alphas orelse return Status.argument_invalid.code();
    const result = on_grid orelse return Status.argument_invalid.code();
    const expected = groupsOf(rows, columns, grid_scan.segment_columns) orelse return Status.argument_invalid.code();
    if (alphas_count != expected) return Status.argument_invalid.code();
    result.* = @intFromBool(grid_scan.run(weights, columns, to[0..alphas_count]));
    return Status.ok.code();
}

/// Sums of the kept magnitudes of tile f32 [R][K] by group, f64 [R][G].
pub export fn sherry_pack_group_sums(
    tile: ?[*]const f32,
    rows: usize,
    columns: usize,
    group_columns: usize,
    sums: ?[*]f64,
    sums_count: usize,
) callconv(.c) i32 {
    const weights = tileOf(tile, rows, columns) orelse return Status.argument_invalid.code();
    const to = sums orelse return Status.argument_invalid.code();
    const expected = groupsOf(rows, columns, group_columns) orelse return Status.argument_invalid.code();
    if (sums_count != expected) return Status.argument_invalid.code();
    group_sums.run(weights, columns, group_columns, to[0..sums_count]);
    return Status.ok.code();
}

/// A tile f32 [R][K] of R = 1..64 rows, given its scales f32 [R][G], to a tile of codes. Adds what is lost to
/// `statistics`. not_finite: a scale that is negative, infinite or NaN.
pub export fn sherry_pack_encode(
    tile: ?[*]const f32,
    rows: usize,
    columns: usize,
    group_columns: usize,
    scales: ?[*]const f32,
    scales_count: usize,
    codes: ?[*]u8,
    codes_bytes: usize,
    statistics: ?*Statistics,
) callconv(.c) i32 {
    if (rows > format.tile_rows) return Status.argument_invalid.code();
    const weights = tileOf(tile, rows, columns) orelse return Status.argument_invalid.code();
    const from = scales orelse return Status.argument_invalid.code();
    const to = codes orelse return Status.argument_invalid.code();
    const total = statistics orelse return Status.argument_invalid.code();
    const expected = groupsOf(rows, columns, group_columns) orelse return Status.argument_invalid.code();
    if (scales_count != expected) return Status.argument_invalid.code();
    if (sherry_encode.tileBytes(columns) != codes_bytes) return Status.argument_invalid.code();
    for (from[0..scales_count]) |scale| {
        if (!std.math.isFinite(scale) or scale < 0) return Status.not_finite.code();
    }
    sherry_encode.run(weights, columns, group_columns, from[0..scales_count], to[0..codes_bytes], total);
    return Status.ok.code();
}

/// Rows f32 [R][K] to q8 values [R][K padded to 32] and scales f16 [R][K padded / 32]. Adds what is lost to
/// `statistics`. not_finite: a group whose scale is past f16's range.
pub export fn sherry_pack_q8(
    source: ?[*]const f32,
    rows: usize,
    columns: usize,
    values: ?[*]i8,
    values_bytes: usize,
    scales: ?[*]u16,
    scales_count: usize,
    statistics: ?*Statistics,
    position: ?*u64,
) callconv(.c) i32 {
    const layout = format.Q8Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    const count = checks.product(&.{ rows, columns }) orelse return Status.argument_invalid.code();
    if (checks.product(&.{ count, 4 }) == null) return Status.argument_invalid.code();
    const from = source orelse return Status.argument_invalid.code();
    const to = values orelse return Status.argument_invalid.code();
    const halves = scales orelse return Status.argument_invalid.code();
    const total = statistics orelse return Status.argument_invalid.code();
    const place = position orelse return Status.argument_invalid.code();
    if (values_bytes != rows * layout.padded_columns or scales_count != rows * layout.groups) {
        return Status.argument_invalid.code();
    }
    const found = q8_quantize.run(
        from[0..count],
        columns,
        layout.padded_columns,
        to[0..values_bytes],
        halves[0..scales_count],
        total,
    );
    return placed(found, place);
}

/// Rows f32 [R][K] to int4 codes [T][G][128] and f16 scales [T][G][8] (format.int4; T tiles of eight rows, padding zero).
/// Adds what is lost to `statistics`. not_finite: a group whose scales are all past f16's range.
pub export fn sherry_pack_int4(
    source: ?[*]const f32,
    rows: usize,
    columns: usize,
    codes: ?[*]u8,
    codes_bytes: usize,
    scales: ?[*]u16,
    scales_count: usize,
    statistics: ?*Statistics,
    position: ?*u64,
) callconv(.c) i32 {
    const layout = format.int4.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    const count = checks.product(&.{ rows, columns }) orelse return Status.argument_invalid.code();
    if (checks.product(&.{ count, 4 }) == null) return Status.argument_invalid.code();
    const from = source orelse return Status.argument_invalid.code();
    const to = codes orelse return Status.argument_invalid.code();
    const halves = scales orelse return Status.argument_invalid.code();
    const total = statistics orelse return Status.argument_invalid.code();
    const place = position orelse return Status.argument_invalid.code();
    if (codes_bytes != layout.scales_offset or scales_count * 2 != layout.bytes - layout.scales_offset) {
        return Status.argument_invalid.code();
    }
    const found = int4_quantize.run(from[0..count], columns, to[0..codes_bytes], halves[0..scales_count], total);
    return placed(found, place);
}

fn elementOf(value: u32) ?format.Element {
    return if (value <= @backingInt(format.Element.bf16)) @fromBackingInt(@intCast(value)) else null;
}

fn placed(found: ?usize, position: *u64) i32 {
    position.* = found orelse return Status.ok.code();
    return Status.not_finite.code();
}

/// The tile as a slice; null when there is none, a size is zero, K is no multiple of four or the bytes overflow.
fn tileOf(pointer: ?[*]const f32, rows: usize, columns: usize) ?[]const f32 {
    const weights = pointer orelse return null;
    if (columns % format.block_columns != 0) return null;
    const count = checks.product(&.{ rows, columns }) orelse return null;
    _ = checks.product(&.{ count, 4 }) orelse return null;
    return weights[0..count];
}

/// R times the groups of a row; null when the group is no positive multiple of four or the product overflows.
fn groupsOf(rows: usize, columns: usize, group_columns: usize) ?usize {
    if (group_columns == 0 or group_columns % format.block_columns != 0) return null;
    const groups = std.math.divCeil(usize, columns, group_columns) catch return null;
    return std.math.mul(usize, rows, groups) catch null;
}

const invalid = Status.argument_invalid.code();
const ok = Status.ok.code();
const not_finite = Status.not_finite.code();
const absurd = 1 << 62;

test "widen and narrow: null pointers, lengths, unknown elements, overflow; then the place of a bad number" {
    var numbers = [_]f32{ 1, 2, std.math.inf(f32), 4 };
    var wide: [4]f32 = undefined;
    var place: u64 = 99;
    var total = Statistics{};
    try std.testing.expectEqual(invalid, sherry_pack_widen(null, 16, 0, &wide, 4, &place));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 16, 0, null, 4, &place));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 16, 0, &wide, 4, null));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 16, 3, &wide, 4, &place));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 15, 0, &wide, 4, &place));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 0, 0, &wide, 0, &place));
    try std.testing.expectEqual(invalid, sherry_pack_widen(&numbers, 0, 0, &wide, absurd, &place));
    try std.testing.expectEqual(99, place);
    try std.testing.expectEqual(not_finite, sherry_pack_widen(&numbers, 16, 0, &wide, 4, &place));
    try std.testing.expectEqual(2, place);
    try std.testing.expectEqual(ok, sherry_pack_widen(&numbers, 8, 0, &wide, 2, &place));

    var half: [4]f16 = undefined;
    try std.testing.expectEqual(invalid, sherry_pack_narrow(null, 4, 1, &half, 8, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 4, 1, null, 8, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 4, 1, &half, 8, null, &place));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 4, 1, &half, 8, &total, null));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 4, 1, &half, 7, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 4, 7, &half, 8, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, absurd, 0, &half, 0, &total, &place));
    const odd: *anyopaque = @ptrFromInt(@intFromPtr(&half) + 1);
    try std.testing.expectEqual(invalid, sherry_pack_narrow(&numbers, 2, 1, odd, 4, &total, &place));
    numbers[1] = 1e6;
    try std.testing.expectEqual(not_finite, sherry_pack_narrow(&numbers, 4, 1, &half, 8, &total, &place));
    try std.testing.expectEqual(1, place);
    try std.testing.expectEqual(ok, sherry_pack_narrow(&numbers, 1, 1, &half, 2, &total, &place));
}

test "scan, sums and codes: null pointers, lengths, sizes, overflow, scales" {
    const tile: [8]f32 = .{ 0, 1, 1, 1, 1, 1, 1, 0 };
    var alphas: [1]f32 = undefined;
    var sums: [1]f64 = undefined;
    var codes: [format.chunk_bytes]u8 = undefined;
    var on_grid: u32 = 9;
    var total = Statistics{};
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(null, 1, 8, &alphas, 1, &on_grid));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, 1, 8, null, 1, &on_grid));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, 1, 8, &alphas, 1, null));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, 0, 8, &alphas, 1, &on_grid));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, 1, 6, &alphas, 1, &on_grid));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, 1, 8, &alphas, 2, &on_grid));
    try std.testing.expectEqual(invalid, sherry_pack_grid_scan(&tile, absurd, 8, &alphas, 1, &on_grid));
    try std.testing.expectEqual(9, on_grid);
    try std.testing.expectEqual(ok, sherry_pack_grid_scan(&tile, 1, 8, &alphas, 1, &on_grid));
    try std.testing.expectEqual(1, on_grid);

    try std.testing.expectEqual(invalid, sherry_pack_group_sums(null, 1, 8, 8, &sums, 1));
    try std.testing.expectEqual(invalid, sherry_pack_group_sums(&tile, 1, 8, 8, null, 1));
    try std.testing.expectEqual(invalid, sherry_pack_group_sums(&tile, 1, 8, 0, &sums, 1));
    try std.testing.expectEqual(invalid, sherry_pack_group_sums(&tile, 1, 8, 6, &sums, 1));
    try std.testing.expectEqual(invalid, sherry_pack_group_sums(&tile, 1, 8, 4, &sums, 1));
    try std.testing.expectEqual(invalid, sherry_pack_group_sums(&tile, 1, absurd, 8, &sums, 1));
    try std.testing.expectEqual(ok, sherry_pack_group_sums(&tile, 1, 8, 8, &sums, 1));
    try std.testing.expectEqual(6, sums[0]);

    const bytes = codes.len;
    try std.testing.expectEqual(invalid, sherry_pack_encode(null, 1, 8, 8, &alphas, 1, &codes, bytes, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, 8, 8, null, 1, &codes, bytes, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, 8, 8, &alphas, 1, null, bytes, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, 8, 8, &alphas, 1, &codes, bytes, null));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 65, 8, 8, &alphas, 65, &codes, bytes, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, 8, 8, &alphas, 2, &codes, bytes, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, 8, 8, &alphas, 1, &codes, bytes - 1, &total));
    try std.testing.expectEqual(invalid, sherry_pack_encode(&tile, 1, absurd, 8, &alphas, 1, &codes, bytes, &total));
    for ([_]f32{ -1, std.math.inf(f32), std.math.nan(f32) }) |scale| {
        try std.testing.expectEqual(not_finite, sherry_pack_encode(&tile, 1, 8, 8, &.{scale}, 1, &codes, bytes, &total));
    }
    try std.testing.expectEqual(ok, sherry_pack_encode(&tile, 1, 8, 8, &alphas, 1, &codes, bytes, &total));
}

test "q8: null pointers, lengths, sizes, overflow, a scale past f16" {
    var weights: [32]f32 = @splat(2);
    var values: [32]i8 = undefined;
    var scales: [2]u16 = undefined;
    var total = Statistics{};
    var place: u64 = 0;
    try std.testing.expectEqual(invalid, sherry_pack_q8(null, 1, 32, &values, 32, &scales, 1, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, null, 32, &scales, 1, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, &values, 32, null, 1, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, &values, 32, &scales, 1, null, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, &values, 32, &scales, 1, &total, null));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, &values, 31, &scales, 1, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 1, 32, &values, 32, &scales, 2, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, 0, 32, &values, 32, &scales, 1, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_q8(&weights, absurd, 32, &values, 32, &scales, 1, &total, &place));
    try std.testing.expectEqual(ok, sherry_pack_q8(&weights, 1, 32, &values, 32, &scales, 1, &total, &place));
    weights[5] = 1e7;
    try std.testing.expectEqual(not_finite, sherry_pack_q8(&weights, 1, 32, &values, 32, &scales, 1, &total, &place));
    try std.testing.expectEqual(0, place);
}

test "int4: null pointers, lengths, sizes, overflow, a scale past f16" {
    var weights: [33]f32 = @splat(2);
    var codes: [256]u8 = undefined;
    var scales: [16]u16 = undefined;
    var total = Statistics{};
    var place: u64 = 0;
    try std.testing.expectEqual(invalid, sherry_pack_int4(null, 1, 33, &codes, 256, &scales, 16, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, null, 256, &scales, 16, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, &codes, 256, null, 16, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, &codes, 256, &scales, 16, null, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, &codes, 256, &scales, 16, &total, null));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, &codes, 255, &scales, 16, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 33, &codes, 256, &scales, 15, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, 1, 0, &codes, 256, &scales, 16, &total, &place));
    try std.testing.expectEqual(invalid, sherry_pack_int4(&weights, absurd, 33, &codes, 256, &scales, 16, &total, &place));
    try std.testing.expectEqual(ok, sherry_pack_int4(&weights, 1, 33, &codes, 256, &scales, 16, &total, &place));
    weights[32] = 1e7;
    try std.testing.expectEqual(not_finite, sherry_pack_int4(&weights, 1, 33, &codes, 256, &scales, 16, &total, &place));
    try std.testing.expectEqual(32, place);
}
