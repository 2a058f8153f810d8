//! What sherry_linear.zig's tests multiply: known weights packed code by code, scales of every element, activations with
//! their extremes, and outputs whose bounds are watched. Compiled into tests only.
const std = @import("std");
const format = @import("../../format.zig");
const kernel = @import("../kernel.zig");
const prepare = @import("../prepare.zig");
const prepared = @import("../prepared.zig");
const sherry_linear = @import("../sherry_linear.zig");
const sum_tables = @import("../sum_tables.zig");
const testing = @import("../testing.zig");

const allocator = std.testing.allocator;

pub const Shape = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    granularity: format.Granularity,
    group_columns: u32,
    scale_element: format.Element,
};

/// How many scalings `scaled` can name: tensor, channel and four group sizes, each with three elements.
pub const scalings = 6 * 3;

pub fn scaled(scaling: usize, rows: usize, columns: usize, tokens: usize) Shape {
    const groups = [_]u32{ 0, 0, 32, 64, 128, 256 };
    const elements = [_]format.Element{ .f32, .f16, .bf16 };
    return .{
        .rows = rows,
        .columns = columns,
        .tokens = tokens,
        .granularity = switch (scaling / 3) {
            0 => .tensor,
            1 => .channel,
            else => .group,
        },
        .group_columns = groups[scaling / 3],
        .scale_element = elements[scaling % 3],
    };
}

pub const WeightKind = enum {
    random,
    /// All positive, or all negative, the zero last in its block: the largest sums, in 16 bits too.
    all_positive,
    all_negative,
};

pub const ActivationKind = enum {
    random,
    /// 127 and -127 by turns of chance.
    extremes,
    all_positive,
    all_negative,
    /// Nearly all 5: with all weights positive every low digit of the tables is 15, the largest.
    largest_digits,
    zeros,
    /// Large enough to leave nothing of its block's other values, too small for an output to overflow.
    one_huge,
    one_nan,
    one_infinite,
};

pub const scalar = @import("scalar.zig").run;

/// How a computation is divided into calls.
pub const Split = struct {
    /// Of two ranges of units, of which the second one is computed first, those of the first.
    units: usize,
    /// The most activation blocks of one call.
    blocks: usize,

    pub const none: Split = .{ .units = 0, .blocks = std.math.maxInt(usize) };
};

/// One multiplication's operands: known weights and scales packed by format.zig's rules, and prepared activations.
pub const Case = struct {
    shape: Shape,
    layout: format.SherryLayout,
    /// i8 [R][K], each -1, 0 or +1
    dense: []i8,
    packed_weights: []align(64) u8,
    prepared_bytes: []align(64) u8,
    group_tables_bytes: usize,

    pub fn init(random: std.Random, shape: Shape, weight_kind: WeightKind, activation_kind: ActivationKind) !Case {
        const layout = format.SherryLayout.init(
            shape.rows,
            shape.columns,
            shape.granularity,
            shape.group_columns,
            shape.scale_element,
        ).?;
        const dense = try allocator.alloc(i8, shape.rows * shape.columns);
        errdefer allocator.free(dense);
        const packed_weights = try allocator.alignedAlloc(u8, .@"64", layout.bytes);
        errdefer allocator.free(packed_weights);
        // Padding rows and columns hold noise, so that a kernel that lets them into a result is found out.
        random.bytes(packed_weights);
        for (0..shape.rows) |row| for (0..shape.columns / 4) |block| {
            const code = randomCode(random, weight_kind);
            dense[row * shape.columns + block * 4 ..][0..4].* = format.decode(code);
            placeCode(packed_weights, layout.chunks, row, block, code);
        };
        testing.fillElements(random, shape.scale_element, @alignCast(packed_weights[layout.scales_offset..]));
        return .{
            .shape = shape,
            .layout = layout,
            .dense = dense,
            .packed_weights = packed_weights,
            .prepared_bytes = try prepareActivations(random, shape, activation_kind),
            .group_tables_bytes = sum_tables.group_tokens * prepared.Layout.init(1, shape.columns).?.blocks * sum_tables.wide_table_bytes,
        };
    }

    pub fn deinit(self: Case) void {
        allocator.free(self.dense);
        allocator.free(self.packed_weights);
        allocator.free(self.prepared_bytes);
    }

    /// Units of work: tiles times groups of tokens.
    pub fn units(self: Case) usize {
        return self.layout.tiles * (std.math.divCeil(usize, self.shape.tokens, sum_tables.group_tokens) catch unreachable);
    }

    /// Computes as `split` says, into a buffer whose bounds are watched. The caller frees.
    pub fn compute(self: Case, comptime run: kernel.Run, split: Split) ![]f32 {
        const guard = 67;
        const sentinel: f32 = -7.25e11;
        const count = self.shape.tokens * self.shape.rows;
        const buffer = try allocator.alloc(f32, count + 2 * guard);
        defer allocator.free(buffer);
        @memset(buffer, sentinel);
        const tables = try allocator.alignedAlloc(u8, .@"64", self.group_tables_bytes);
        defer allocator.free(tables);
        var slot = sum_tables.Slot{};
        const set = sum_tables.Set{ .slots = @ptrCast(&slot), .count = 1, .memory = tables.ptr, .bytes_each = tables.len };
        var arguments = self.argumentsFor(buffer[guard..].ptr);
        arguments.own_tables = &set;
        const blocks = prepared.Layout.init(1, self.shape.columns).?.blocks;
        var block: usize = 0;
        while (block < blocks) : (block = arguments.block_end) {
            arguments.first_block = block;
            arguments.block_end = @min(block +| split.blocks, blocks);
            run(&arguments, split.units, self.units());
            run(&arguments, 0, split.units);
        }
        for (buffer[0..guard]) |element| try std.testing.expectEqual(sentinel, element);
        for (buffer[guard + count ..]) |element| try std.testing.expectEqual(sentinel, element);
        for (buffer[guard..][0..count]) |element| try std.testing.expect(element != sentinel);
        return allocator.dupe(f32, buffer[guard..][0..count]);
    }

    /// The scale of one weight, read from its bytes.
    pub fn scaleOf(self: Case, row: usize, column: usize) f64 {
        const shape = self.shape;
        const index = switch (shape.granularity) {
            .tensor => 0,
            .channel => row,
            .group => (row / 64 * self.layout.groups + column / shape.group_columns) * 64 + row % 64,
        };
        const bytes = self.packed_weights[self.layout.scales_offset + index * shape.scale_element.bytes() ..];
        return switch (shape.scale_element) {
            .f32 => @as(f32, @bitCast(bytes[0..4].*)),
            .f16 => @as(f16, @bitCast(bytes[0..2].*)),
            .bf16 => @as(f32, @bitCast([4]u8{ 0, 0, bytes[0], bytes[1] })),
        };
    }

    pub fn argumentsFor(self: Case, y: [*]f32) sherry_linear.Arguments {
        return .{
            .weights = self.packed_weights.ptr,
            .rows = self.shape.rows,
            .columns = self.shape.columns,
            .granularity = self.shape.granularity,
            .group_columns = self.shape.group_columns,
            .scale_element = self.shape.scale_element,
            .prepared = self.prepared_bytes.ptr,
            .tokens = self.shape.tokens,
            .first_block = 0,
            .block_end = prepared.Layout.init(1, self.shape.columns).?.blocks,
            .own_tables = undefined,
            .y = y,
        };
    }
};

fn randomCode(random: std.Random, kind: WeightKind) format.Code {
    return switch (kind) {
        .random => .{ .index = random.int(u4), .negative = random.int(u1) },
        .all_positive => .{ .index = 12, .negative = 0 },
        .all_negative => .{ .index = 12, .negative = 1 },
    };
}

/// Writes one code where docs/format.md says that it lies.
fn placeCode(bytes: []u8, chunks: usize, row: usize, block: usize, code: format.Code) void {
    const chunk = bytes[(row / 64 * chunks + block / 8) * 320 ..][0..320];
    const byte = format.byteOfRow(row % 64);
    const upper = row % 64 >= 32;
    const indexes = &chunk[block % 8 * 32 + byte];
    indexes.* = if (upper) indexes.* & 0x0f | @as(u8, code.index) << 4 else indexes.* & 0xf0 | code.index;
    const signs = &chunk[@as(usize, if (upper) 288 else 256) + byte];
    const bit = @as(u8, 0x80) >> @intCast(block % 8);
    signs.* = if (code.negative == 1) signs.* | bit else signs.* & ~bit;
}

fn prepareActivations(random: std.Random, shape: Shape, kind: ActivationKind) ![]align(64) u8 {
    const layout = prepared.Layout.init(shape.tokens, shape.columns).?;
    const bytes = try allocator.alignedAlloc(u8, .@"64", layout.bytes);
    errdefer allocator.free(bytes);
    const x = try allocator.alloc(f32, shape.tokens * shape.columns);
    defer allocator.free(x);
    for (x) |*element| element.* = switch (kind) {
        .extremes => if (random.boolean()) 1.5 else -1.5,
        .all_positive => 1.5,
        .all_negative => -1.5,
        .largest_digits => 5.0 / 127.0,
        .zeros => 0,
        else => random.floatNorm(f32),
    };
    const somewhere = &x[random.uintLessThan(usize, x.len)];
    switch (kind) {
        .largest_digits => somewhere.* = 1,
        .one_huge => somewhere.* = 1e32,
        .one_nan => somewhere.* = std.math.nan(f32),
        .one_infinite => somewhere.* = std.math.inf(f32),
        else => {},
    }
    const arguments = prepare.Arguments{
        .x = x.ptr,
        .tokens = shape.tokens,
        .columns = shape.columns,
        .column_order = .natural,
        .prepared = bytes.ptr,
    };
    @import("../prepare/scalar.zig").run(&arguments, 0, shape.tokens * layout.blocks);
    // Not 0, so that the second range of a computation finds tables of the first.
    std.mem.writeInt(u64, bytes[layout.stamp_offset..][0..8], 1, .little);
    return bytes;
}
