//! f32 weights to stored elements (f32, f16, bf16), rounded to the nearest, ties to even (IEEE 754). A weight that is
//! past the element's range would turn into an infinity: its place is the answer instead.
const std = @import("std");
const format = @import("../../format.zig");
const firstNotFinite = @import("finite.zig").firstNotFinite;
const halves = @import("halves.zig");
const statistics = @import("statistics.zig");

/// Elements that are narrowed and widened back before their loss is counted.
const run_elements = 256;

/// Writes `source.len` elements and adds their rounding to `total`. Null when all fit, else the index of the first that
/// does not; `total` is then without meaning. The weights are finite; `destination` is aligned for the element.
pub fn run(element: format.Element, source: []const f32, destination: [*]u8, total: *statistics.Statistics) ?usize {
    var lanes = statistics.Lanes{};
    var stored: [run_elements]f32 = undefined;
    var start: usize = 0;
    while (start < source.len) : (start += run_elements) {
        const piece = source[start..@min(start + run_elements, source.len)];
        const back = stored[0..piece.len];
        const to = destination + start * element.bytes();
        switch (element) {
            .f32 => {
                @memcpy(to, std.mem.sliceAsBytes(piece));
                @memcpy(back, piece);
            },
            .f16 => narrowToHalves(piece, @ptrCast(@alignCast(to)), back),
            .bf16 => narrowToBrains(piece, @ptrCast(@alignCast(to)), back),
        }
        if (firstNotFinite(back)) |index| return start + index;
        lanes.addSlice(piece, back);
    }
    lanes.addTo(total);
    return null;
}

fn narrowToHalves(source: []const f32, destination: [*]u16, back: []f32) void {
    var index: usize = 0;
    while (index + halves.count <= source.len) : (index += halves.count) {
        const narrowed = halves.narrow(source[index..][0..halves.count].*);
        destination[index..][0..halves.count].* = narrowed.halves;
        back[index..][0..halves.count].* = narrowed.values;
    }
    for (source[index..], destination[index..source.len], back[index..]) |weight, *half, *value| {
        const narrowed = halves.narrow(@splat(weight));
        half.* = narrowed.halves[0];
        value.* = narrowed.values[0];
    }
}

/// The upper half of the f32 after rounding; a carry out of the fraction moves on to the next power of two as it should.
fn narrowToBrains(source: []const f32, destination: [*]u16, back: []f32) void {
    for (source, destination[0..source.len], back) |weight, *brain, *value| {
        const bits: u32 = @bitCast(weight);
        const rounded = bits + 0x7fff + (bits >> 16 & 1);
        brain.* = @truncate(rounded >> 16);
        value.* = @bitCast(rounded & 0xffff_0000);
    }
}

test "every f16 and bf16 survives, and halfway values go to the even neighbour" {
    var element: u16 = undefined;
    var total = statistics.Statistics{};
    for (0..1 << 16) |bits| {
        const half: f16 = @bitCast(@as(u16, @intCast(bits)));
        if (std.math.isFinite(half)) {
            try std.testing.expectEqual(null, run(.f16, &.{half}, @ptrCast(&element), &total));
            try std.testing.expectEqual(@as(u16, @intCast(bits)), element);
        }
        const low: u32 = @as(u32, @intCast(bits)) << 16;
        const next: f32 = @bitCast(low +% 0x1_0000);
        if (!std.math.isFinite(@as(f32, @bitCast(low))) or !std.math.isFinite(next)) continue;
        for ([_]u32{ 0, 0x7fff, 0x8000, 0x8001 }) |rest| {
            const up = rest > 0x8000 or (rest == 0x8000 and bits & 1 == 1);
            const loss_before = total.squared_error;
            try std.testing.expectEqual(null, run(.bf16, &.{@bitCast(low | rest)}, @ptrCast(&element), &total));
            try std.testing.expectEqual(@as(u16, @intCast(bits)) + @intFromBool(up), element);
            if (rest == 0) try std.testing.expectEqual(loss_before, total.squared_error);
        }
    }
}

test "a weight past the element's range is named" {
    var source: [run_elements + 3]f32 = @splat(1);
    var destination: [source.len]f32 = undefined;
    var total = statistics.Statistics{};
    // 65519.996 rounds to f16's largest, 65504; 65520 is halfway to what would be 65536.
    source[run_elements + 1] = std.math.nextAfter(f32, 65520, 0);
    try std.testing.expectEqual(null, run(.f16, &source, @ptrCast(&destination), &total));
    source[run_elements + 1] = 65520;
    try std.testing.expectEqual(run_elements + 1, run(.f16, &source, @ptrCast(&destination), &total));
    source[run_elements] = -std.math.floatMax(f32);
    try std.testing.expectEqual(run_elements, run(.bf16, &source, @ptrCast(&destination), &total));
    try std.testing.expectEqual(null, run(.f32, &source, @ptrCast(&destination), &total));
}
