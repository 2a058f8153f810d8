//! Checkpoint elements (f32, f16, bf16, little-endian) to f32, exactly. An infinity or a NaN is not a weight: the first
//! one's place is the answer, so that the caller can name its row and column.
const std = @import("std");
const format = @import("../../format.zig");
const firstNotFinite = @import("finite.zig").firstNotFinite;
const halves = @import("halves.zig");

/// Widens `destination.len` elements. Null when all are finite, else the index of the first that is not; the elements
/// behind it may then be missing. `source` needs no alignment: a tensor may start anywhere in a checkpoint.
pub fn run(element: format.Element, source: [*]const u8, destination: []f32) ?usize {
    var start: usize = 0;
    while (start < destination.len) : (start += run_elements) {
        const piece = destination[start..@min(start + run_elements, destination.len)];
        const from = source + start * element.bytes();
        switch (element) {
            .f32 => @memcpy(std.mem.sliceAsBytes(piece), from),
            .f16 => widenHalves(@ptrCast(from), piece),
            .bf16 => widenBrains(@ptrCast(from), piece),
        }
        if (firstNotFinite(piece)) |index| return start + index;
    }
    return null;
}

/// Elements that are widened between two looks for infinities, so that the inner loops have no exit.
const run_elements = 256;

fn widenHalves(source: [*]align(1) const u16, destination: []f32) void {
    var index: usize = 0;
    while (index + halves.count <= destination.len) : (index += halves.count) {
        destination[index..][0..halves.count].* = halves.widen(source[index..][0..halves.count].*);
    }
    for (source[index..destination.len], destination[index..]) |half, *value| {
        value.* = halves.widen(@splat(half))[0];
    }
}

/// A bf16 is the upper half of an f32.
fn widenBrains(source: [*]align(1) const u16, destination: []f32) void {
    for (source[0..destination.len], destination) |brain, *value| {
        value.* = @bitCast(@as(u32, brain) << 16);
    }
}

test "every finite f16 and bf16 widens to its own value, at any alignment" {
    var bytes: [3]u8 = undefined;
    var value: [1]f32 = undefined;
    for (0..1 << 16) |bits| {
        std.mem.writeInt(u16, bytes[1..3], @intCast(bits), .little);
        const half: f16 = @bitCast(@as(u16, @intCast(bits)));
        const half_failed = run(.f16, bytes[1..].ptr, &value);
        try std.testing.expectEqual(!std.math.isFinite(half), half_failed != null);
        if (half_failed == null) try std.testing.expectEqual(@as(f32, half), value[0]);

        const brain: f32 = @bitCast(@as(u32, @intCast(bits)) << 16);
        const brain_failed = run(.bf16, bytes[1..].ptr, &value);
        try std.testing.expectEqual(!std.math.isFinite(brain), brain_failed != null);
        if (brain_failed == null) try std.testing.expectEqual(brain, value[0]);
    }
}

test "the first infinity or NaN is named, wherever it lies" {
    const count = 2 * run_elements + 5;
    var source: [count]f32 = undefined;
    var destination: [count]f32 = undefined;
    for ([_]usize{ 0, 1, run_elements - 1, run_elements, count - 1 }) |place| {
        for ([_]f32{ std.math.inf(f32), -std.math.inf(f32), std.math.nan(f32) }) |bad| {
            @memset(&source, 1.5);
            source[place] = bad;
            source[count - 1] = bad;
            try std.testing.expectEqual(place, run(.f32, std.mem.sliceAsBytes(&source).ptr, &destination));
        }
    }
    @memset(&source, -std.math.floatMax(f32));
    try std.testing.expectEqual(null, run(.f32, std.mem.sliceAsBytes(&source).ptr, &destination));
    try std.testing.expectEqualSlices(f32, &source, &destination);
}
