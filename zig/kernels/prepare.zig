//! Activations to int8, one scale per 256 columns.
//!
//! For a block x of 256 columns: scale = max|x| / 127; value = x / scale rounded to the nearest integer, halves to even,
//! computed as x * (127 / max|x|). A block with max|x| below 2^-119, where 127 / max|x| would leave f32's range, counts
//! as zeros: scale 0 and values 0. A block with an infinity or a NaN gets scale NaN, values 0: the caller looks for it.
//! Columns past K have value 0.
//!
//! `column_order` is that of the weights that will read the result: with `strided`, for which K is a multiple of 64, the
//! values are put into the packed order (format.originalColumn), and sums speak of columns in that order. The scales are
//! those of the natural order, because the permutation stays within 64 columns.
//!
//! Unit of work: one activation block of one token; unit u is token u / N, block u % N.
const std = @import("std");
const format = @import("../format.zig");
const kernel = @import("kernel.zig");
const prepared = @import("prepared.zig");
const scalar = @import("prepare/scalar.zig");
const testing = @import("testing.zig");

pub const Arguments = extern struct {
    /// f32 [B][K]
    x: [*]const f32,
    tokens: usize,
    columns: usize,
    column_order: format.ColumnOrder,
    /// One allocation laid out by prepared.Layout.init(tokens, columns), aligned to 64.
    prepared: [*]align(64) u8,
};

/// Bits of the smallest float that is not finite, leaving the sign aside.
pub const infinity_bits: u32 = 0x7f80_0000;
/// Above this both 127 / max|x| is finite and max|x| / 127 a normal number.
const smallest_largest: f32 = 0x1p-119;

/// What one unit of work reads and writes.
pub const Target = struct {
    /// The columns of the block that exist, at most 256.
    x: []const f32,
    scale: *f32,
    sums: *[prepared.block_sums]i32,
    half_sums: *[prepared.block_half_sums]i16,
    column_order: format.ColumnOrder,
    values: *[format.activation_block_columns]i8,

    pub fn init(arguments: *const Arguments, unit: usize) Target {
        const layout = prepared.Layout.init(arguments.tokens, arguments.columns).?;
        const base = arguments.prepared;
        const scales: [*]f32 = @ptrCast(@alignCast(base + layout.scales_offset));
        const sums: [*][prepared.block_sums]i32 = @ptrCast(@alignCast(base + layout.sums_offset));
        const half_sums: [*][prepared.block_half_sums]i16 = @ptrCast(@alignCast(base + layout.half_sums_offset));
        const values: [*][format.activation_block_columns]i8 = @ptrCast(base + layout.values_offset);
        const token = unit / layout.blocks;
        const first_column = unit % layout.blocks * format.activation_block_columns;
        const count = @min(format.activation_block_columns, arguments.columns - first_column);
        return .{
            .x = arguments.x[token * arguments.columns + first_column ..][0..count],
            .scale = &scales[unit],
            .sums = &sums[unit],
            .half_sums = &half_sums[unit],
            .column_order = arguments.column_order,
            .values = &values[unit],
        };
    }
};

/// The scale of a block whose largest magnitude is `largest`; values are not zero only when it is above zero.
pub inline fn blockScale(finite: bool, largest: f32) f32 {
    if (!finite) return std.math.nan(f32);
    return if (largest < smallest_largest) 0 else largest / 127;
}

/// The bytes that one implementation makes of one input.
pub const Made = struct {
    layout: prepared.Layout,
    bytes: []align(64) u8,

    pub fn init(comptime run: kernel.Run, x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder) !Made {
        const layout = prepared.Layout.init(tokens, columns).?;
        const bytes = try std.testing.allocator.alignedAlloc(u8, .@"64", layout.bytes);
        @memset(bytes, 0xa5);
        const arguments = Arguments{
            .x = x.ptr,
            .tokens = tokens,
            .columns = columns,
            .column_order = order,
            .prepared = bytes.ptr,
        };
        // Two ranges, the second one first: units do not depend on one another.
        const units = tokens * layout.blocks;
        run(&arguments, units / 2, units);
        run(&arguments, 0, units / 2);
        return .{ .layout = layout, .bytes = bytes };
    }

    pub fn deinit(self: Made) void {
        std.testing.allocator.free(self.bytes);
    }

    pub fn part(self: Made, comptime Element: type, offset: usize, count: usize) []const Element {
        return @alignCast(std.mem.bytesAsSlice(Element, self.bytes[offset..][0 .. count * @sizeOf(Element)]));
    }
};

/// The contract again, in f64 where f32 does not matter, against bytes that a kernel made.
fn expectContract(x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder, made: Made) !void {
    const layout = made.layout;
    const scales = made.part(f32, layout.scales_offset, tokens * layout.blocks);
    const sums = made.part(i32, layout.sums_offset, tokens * layout.blocks * 8);
    const half_sums = made.part(i16, layout.half_sums_offset, tokens * layout.blocks * 16);
    const values = made.part(i8, layout.values_offset, tokens * layout.padded_columns);
    for (0..tokens * layout.blocks) |unit| {
        const first = unit % layout.blocks * 256;
        const block = x[unit / layout.blocks * columns + first ..][0..@min(256, columns - first)];
        var largest: f32 = 0;
        var finite = true;
        for (block) |element| {
            if (!std.math.isFinite(element)) finite = false else largest = @max(largest, @abs(element));
        }
        const zeros = !finite or largest < 0x1p-119;
        if (!finite) {
            try std.testing.expect(std.math.isNan(scales[unit]));
        } else {
            try std.testing.expectEqual(if (zeros) 0 else largest / 127, scales[unit]);
        }
        var expected_sums: [8]i32 = @splat(0);
        var expected_half_sums: [16]i16 = @splat(0);
        for (values[unit * 256 ..][0..256], 0..) |value, place| {
            expected_sums[place / 32] += value;
            expected_half_sums[prepared.halfSumPlace(place / 16)] += value;
            const column = if (order == .strided) format.originalColumn(place) else place;
            if (zeros or column >= block.len) {
                try std.testing.expectEqual(0, value);
                continue;
            }
            // A nearest integer: off by half at most, which leaves both neighbours of an exact half; those go to even.
            const product = block[column] * (127 / largest);
            const distance = @abs(@as(f64, product) - @as(f64, @floatFromInt(value)));
            try std.testing.expect(distance < 0.5 or (distance == 0.5 and @mod(value, 2) == 0));
        }
        try std.testing.expectEqualSlices(i32, &expected_sums, sums[unit * 8 ..][0..8]);
        try std.testing.expectEqualSlices(i16, &expected_half_sums, half_sums[unit * 16 ..][0..16]);
    }
}

/// Fills x with one of several kinds of activations, extremes among them.
fn fillActivations(random: std.Random, x: []f32, kind: usize) void {
    for (x) |*element| element.* = switch (kind) {
        0 => random.floatNorm(f32),
        1 => if (random.boolean()) 3.25 else -3.25,
        2 => 0,
        3 => random.floatNorm(f32) * 0x1p-125,
        4 => random.floatNorm(f32) * 0x1p120,
        // With a largest magnitude of 127 the products are the elements, many of them exact halves.
        5 => @as(f32, @floatFromInt(random.intRangeAtMost(i32, -254, 254))) * 0.5,
        else => random.float(f32) - 0.5,
    };
    const somewhere = &x[random.uintLessThan(usize, x.len)];
    switch (kind) {
        5 => somewhere.* = 127,
        6 => somewhere.* = 1e30,
        7 => somewhere.* = std.math.nan(f32),
        8 => somewhere.* = -std.math.inf(f32),
        9 => somewhere.* = std.math.floatMax(f32),
        else => {},
    }
}

const Check = fn (x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder) anyerror!void;

/// Calls `check` with every kind of activations in odd shapes, and in both orders where the columns allow it.
pub fn forEachCase(comptime check: Check) !void {
    var generator = std.Random.DefaultPrng.init(0x5e44_0001);
    const columns_choices = [_]usize{ 1, 4, 31, 36, 64, 192, 255, 256, 257, 260, 320, 512, 1000 };
    for (columns_choices) |columns| for ([_]usize{ 1, 3, 9, 65 }) |tokens| {
        for (0..10) |kind| for (std.enums.values(format.ColumnOrder)) |order| {
            if (order == .strided and columns % format.stride_columns != 0) continue;
            errdefer std.debug.print("columns {} tokens {} kind {} {}\n", .{ columns, tokens, kind, order });
            const x = try std.testing.allocator.alloc(f32, tokens * columns);
            defer std.testing.allocator.free(x);
            fillActivations(generator.random(), x, kind);
            try check(x, tokens, columns, order);
        };
    };
}

test "scalar keeps the contract" {
    try forEachCase(struct {
        fn check(x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder) !void {
            const made = try Made.init(scalar.run, x, tokens, columns, order);
            defer made.deinit();
            try expectContract(x, tokens, columns, order, made);
        }
    }.check);
}

test "AVX2 gives the same bytes as scalar" {
    if (comptime !testing.has_avx2) return error.SkipZigTest;
    try forEachCase(struct {
        fn check(x: []const f32, tokens: usize, columns: usize, order: format.ColumnOrder) !void {
            const expected = try Made.init(scalar.run, x, tokens, columns, order);
            defer expected.deinit();
            const received = try Made.init(@import("prepare/avx2.zig").run, x, tokens, columns, order);
            defer received.deinit();
            try expectSameParts(expected, received, tokens);
        }
    }.check);
}

/// The parts, one after another: what lies between them is nobody's.
fn expectSameParts(expected: Made, received: Made, tokens: usize) !void {
    const layout = expected.layout;
    const cells = tokens * layout.blocks;
    for ([_][2]usize{
        .{ layout.scales_offset, cells * 4 },
        .{ layout.sums_offset, cells * 32 },
        .{ layout.half_sums_offset, cells * 32 },
        .{ layout.values_offset, cells * 256 },
    }) |part| {
        try std.testing.expectEqualSlices(u8, expected.bytes[part[0]..][0..part[1]], received.bytes[part[0]..][0..part[1]]);
    }
}

test "halves go to the even neighbour" {
    const x = [_]f32{ 127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5 };
    const made = try Made.init(scalar.run, &x, 1, x.len, .natural);
    defer made.deinit();
    const values = made.part(i8, made.layout.values_offset, x.len);
    try std.testing.expectEqualSlices(i8, &.{ 127, 0, 2, 2, 0, -2, -2, 126 }, values);
}

test "magnitudes count as zeros only below 2^-119, and the scale above is a normal number" {
    const smallest: f32 = 0x1p-119;
    const below = std.math.nextAfter(f32, smallest, 0);
    inline for (.{ scalar, if (testing.has_avx2) @import("prepare/avx2.zig") else scalar }) |variant| {
        const kept = try Made.init(variant.run, &.{ smallest, -smallest }, 1, 2, .natural);
        defer kept.deinit();
        try std.testing.expect(std.math.isNormal(kept.part(f32, kept.layout.scales_offset, 1)[0]));
        try std.testing.expectEqualSlices(i8, &.{ 127, -127 }, kept.part(i8, kept.layout.values_offset, 2));
        const zeros = try Made.init(variant.run, &.{ below, -below }, 1, 2, .natural);
        defer zeros.deinit();
        try std.testing.expectEqual(0, zeros.part(f32, zeros.layout.scales_offset, 1)[0]);
        try std.testing.expectEqualSlices(i8, &.{ 0, 0 }, zeros.part(i8, zeros.layout.values_offset, 2));
    }
}
