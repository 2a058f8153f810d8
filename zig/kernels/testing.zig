//! What the kernels' differential tests share: random numbers, outputs between guard bytes, comparison of bits, ranges
//! cut anywhere. Only `test` blocks use it.
const std = @import("std");
const builtin = @import("builtin");
const format = @import("../format.zig");
const kernel = @import("kernel.zig");
const prepared = @import("prepared.zig");

/// Whether the tests are compiled for a CPU with what the avx2 variants need. Where they are not, a differential test
/// compares the scalar variant with itself over other ranges, which still shows that ranges are independent.
pub const has_avx2 = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx2) and builtin.cpu.has(.x86, .f16c);

/// The same for the avx512 variants, whose tests are compiled for them only where they will run.
pub const has_avx512 = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx512vbmi) and builtin.cpu.has(.x86, .avx512vnni);

const guard_bytes = 64;
const guard_byte = 0xa5;

/// `items` of T, aligned to 64, between two guards of 64 bytes; everything starts as the guard's byte.
pub fn Guarded(comptime T: type) type {
    return struct {
        const Self = @This();

        memory: []align(64) u8,
        items: []align(64) T,

        pub fn init(count: usize) !Self {
            const memory = try std.testing.allocator.alignedAlloc(u8, .@"64", count * @sizeOf(T) + 2 * guard_bytes);
            @memset(memory, guard_byte);
            const items: [*]align(64) T = @ptrCast(memory[guard_bytes..].ptr);
            return .{ .memory = memory, .items = items[0..count] };
        }

        pub fn deinit(self: Self) void {
            std.testing.allocator.free(self.memory);
        }

        pub fn bytes(self: Self) []align(64) u8 {
            return @alignCast(self.memory[guard_bytes .. self.memory.len - guard_bytes]);
        }

        /// Fails when a byte outside `items` has changed.
        pub fn expectGuards(self: Self) !void {
            const before = self.memory[0..guard_bytes];
            const after = self.memory[self.memory.len - guard_bytes ..];
            try std.testing.expect(std.mem.allEqual(u8, before, guard_byte));
            try std.testing.expect(std.mem.allEqual(u8, after, guard_byte));
        }
    };
}

/// Normal numbers of very different magnitudes, so that a changed order of additions changes the bits of the sum.
pub fn fillFloats(random: std.Random, values: []f32) void {
    for (values) |*value| {
        value.* = random.floatNorm(f32);
        if (random.uintLessThan(u8, 8) == 0) value.* *= 64;
        if (random.uintLessThan(u8, 32) == 0) value.* = 0;
    }
}

/// Fills `bytes` with elements of the given kind, finite, subnormal ones among them.
pub fn fillElements(random: std.Random, element: format.Element, bytes: []align(64) u8) void {
    const size = element.bytes();
    for (0..bytes.len / size) |i| {
        var value: [1]f32 = undefined;
        fillFloats(random, &value);
        if (random.uintLessThan(u8, 64) == 0) value[0] *= 1e-6;
        const cell = bytes[i * size ..];
        switch (element) {
            .f32 => cell[0..4].* = @bitCast(value[0]),
            .f16 => cell[0..2].* = @bitCast(@as(f16, @floatCast(value[0]))),
            .bf16 => cell[0..2].* = @bitCast(@as(u16, @truncate(@as(u32, @bitCast(value[0])) >> 16))),
        }
    }
}

/// Prepared activations as prepare.zig leaves them, but of random scales, and without tables. Extreme: all values 127 or all
/// -127, by turns of tokens.
pub fn randomPrepared(random: std.Random, tokens: usize, columns: usize, extreme: bool) !Guarded(u8) {
    const layout = prepared.Layout.init(tokens, columns).?;
    const activations = try Guarded(u8).init(layout.bytes);
    const base = activations.items.ptr;
    const cells = tokens * layout.blocks;
    const scales: [*]f32 = @ptrCast(@alignCast(base + layout.scales_offset));
    fillFloats(random, scales[0..cells]);
    const sums: [*][prepared.block_sums]i32 = @ptrCast(@alignCast(base + layout.sums_offset));
    const half_sums: [*][prepared.block_half_sums]i16 = @ptrCast(@alignCast(base + layout.half_sums_offset));
    const values: [*]i8 = @ptrCast(base + layout.values_offset);
    @memset(sums[0..cells], @splat(0));
    @memset(half_sums[0..cells], @splat(0));
    for (values[0 .. tokens * layout.padded_columns], 0..) |*value, i| {
        const column = i % layout.padded_columns;
        const largest: i8 = if (i / layout.padded_columns % 2 == 0) 127 else -127;
        value.* = if (column >= columns) 0 else if (extreme) largest else random.intRangeAtMost(i8, -127, 127);
        const within = column % format.activation_block_columns;
        sums[i / format.activation_block_columns][within / prepared.sum_columns] += value.*;
        half_sums[i / format.activation_block_columns][prepared.halfSumPlace(within / 16)] += value.*;
    }
    return activations;
}

/// Fails, with the first differing place, unless both hold the same bits; any NaN equals any NaN.
pub fn expectSame(comptime T: type, expected: []const T, actual: []const T) !void {
    try std.testing.expectEqual(expected.len, actual.len);
    for (expected, actual, 0..) |a, b, index| {
        if (@typeInfo(T) == .float and std.math.isNan(a) and std.math.isNan(b)) continue;
        if (std.mem.eql(u8, std.mem.asBytes(&a), std.mem.asBytes(&b))) continue;
        std.debug.print("element {d}: expected {any}, got {any}\n", .{ index, a, b });
        return error.TestExpectedSameBits;
    }
}

/// Fails unless |actual - exact| <= tolerance.
pub fn expectNear(exact: f64, actual: f32, tolerance: f64) !void {
    if (@abs(actual - exact) <= tolerance) return;
    std.debug.print("expected {d} within {d}, got {d}\n", .{ exact, tolerance, actual });
    return error.TestExpectedNear;
}

/// Runs units 0..units, cut into up to four ranges anywhere (empty ones included), the last range first.
pub fn runCut(random: std.Random, run: *const kernel.Run, arguments: *const anyopaque, units: usize) void {
    var end = units;
    for (0..3) |_| {
        const begin = random.uintAtMost(usize, end);
        run(arguments, begin, end);
        end = begin;
    }
    run(arguments, 0, end);
}
