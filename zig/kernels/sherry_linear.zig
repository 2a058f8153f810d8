//! Y = X Q(W)^T for a `sherry` tensor: 1.25-bit weights times int8 activations, integer sums exact.
//!
//! Result, the same bits from every implementation: for output (token, row), with s[n] the activation scale of block n
//! of 256 columns, a scale segment being the columns that share both one activation scale and one weight scale
//! (256 columns for tensor and channel; the group for group:N, all of which divide 256; the last one of a row may be
//! short), S the exact integer sum of a segment, w the weight's scale as f32:
//!   block n:         t[n] = f32(S) when it is one segment, of tensor and channel;
//!                    t[n] = fma(f32(S1), w1, f32(S0) * w0) and so on over the segments of a group:N
//!   the row:         y = fma(t[1], s[1], fma(t[0], s[0], 0)) and so on, times w for tensor and channel
//! Each multiplication, and each fused multiplication and addition (fma), rounds once, in this order. A NaN is a NaN whatever
//! its payload. (A level whose machine has no fma emulates it, once for a block or a group, which costs it little.) A row's blocks
//! may come in several calls, one after another.
//!
//! Unit of work: one tile of 64 rows for one group of eight tokens (the last fewer); unit u is group u / tiles, tile
//! u % tiles. Rows past `rows` are computed but never written.
const std = @import("std");
const format = @import("../format.zig");
const prepared = @import("prepared.zig");
const sum_tables = @import("sum_tables.zig");

pub const Arguments = extern struct {
    /// Codes and scales as format.SherryLayout lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    granularity: format.Granularity,
    group_columns: u32,
    scale_element: format.Element,
    /// Laid out by prepared.Layout.init(tokens, columns), aligned to 64.
    prepared: [*]align(64) const u8,
    tokens: usize,
    /// The activation blocks whose terms are added, first_block .. block_end.
    first_block: usize,
    block_end: usize,
    /// Where each thread has its tables, of those blocks; the scalar level reads none.
    own_tables: *const sum_tables.Set,
    /// f32 [B][R]. When first_block > 0 the totals of the blocks before, as a call for them left them; they become outputs
    /// when block_end is the last block's.
    y: [*]f32,
};

/// Activation blocks of a token that one call should add at most: their tables are then used for all tiles before the next
/// ones' are made, and are what a second-level cache holds beside the codes, on CPUs that have little of it too.
pub fn blocksTogether(tokens: usize) usize {
    const group_tokens: usize = @min(tokens, sum_tables.group_tokens);
    return resident_blocks / group_tokens;
}

const resident_blocks: usize = 128;

/// The arguments taken apart, so that each implementation finds its operands in one way.
pub const Operands = struct {
    rows: usize,
    columns: usize,
    tokens: usize,
    /// The group at hand: tokens first_token .. first_token + group_tokens.
    first_token: usize,
    group_tokens: usize,
    granularity: format.Granularity,
    scale_element: format.Element,
    /// Columns of a scale segment.
    segment_columns: usize,
    layout: format.SherryLayout,
    codes: [*]const u8,
    /// Scales as they are stored.
    scales: [*]const u8,
    /// N, the activation blocks of a token.
    activation_blocks: usize,
    /// N * 256, the int8 values of a token.
    padded_columns: usize,
    /// f32 [B][N]
    activation_scales: [*]const f32,
    /// i32 [B][N][8]
    sums: [*]const [prepared.block_sums]i32,
    /// i8 [B][N * 256]
    values: [*]const i8,
    stamp: u64,
    first_block: usize,
    block_end: usize,
    own_tables: *const sum_tables.Set,
    /// The thread's, of the group at hand and blocks first_block .. block_end.
    tables: [*]const u8,
    /// f32 [B][R]
    y: [*]f32,

    pub fn init(arguments: *const Arguments) Operands {
        const layout = format.SherryLayout.init(
            arguments.rows,
            arguments.columns,
            arguments.granularity,
            arguments.group_columns,
            arguments.scale_element,
        ).?;
        const activations = prepared.Layout.init(arguments.tokens, arguments.columns).?;
        const base = arguments.prepared;
        return .{
            .rows = arguments.rows,
            .columns = arguments.columns,
            .tokens = arguments.tokens,
            .first_token = 0,
            .group_tokens = 0,
            .granularity = arguments.granularity,
            .scale_element = arguments.scale_element,
            .segment_columns = switch (arguments.granularity) {
                .tensor, .channel => format.activation_block_columns,
                .group => arguments.group_columns,
            },
            .layout = layout,
            .codes = arguments.weights,
            .scales = arguments.weights + layout.scales_offset,
            .activation_blocks = activations.blocks,
            .padded_columns = activations.padded_columns,
            .activation_scales = @ptrCast(@alignCast(base + activations.scales_offset)),
            .sums = @ptrCast(@alignCast(base + activations.sums_offset)),
            .values = @ptrCast(base + activations.values_offset),
            .stamp = @as(*const u64, @ptrCast(@alignCast(base + activations.stamp_offset))).*,
            .first_block = arguments.first_block,
            .block_end = arguments.block_end,
            .own_tables = arguments.own_tables,
            .tables = &.{},
            .y = arguments.y,
        };
    }

    /// Whether the call's blocks are the last ones: the totals become outputs.
    pub inline fn isLast(self: *const Operands) bool {
        return self.block_end == self.activation_blocks;
    }

    /// Where a chunk lies among the codes, in bytes.
    pub inline fn chunkOffset(self: *const Operands, tile: usize, chunk: usize) usize {
        return (tile * self.layout.chunks + chunk) * format.chunk_bytes;
    }

    /// Some tiles of a range of units, for the group of tokens that `group` then has at hand.
    pub const Part = struct { group: Operands, begin: usize, end: usize };

    /// The units from `begin` on that belong to one group.
    pub fn part(self: *const Operands, begin: usize, end: usize) Part {
        var group = self.*;
        group.first_token = begin / self.layout.tiles * sum_tables.group_tokens;
        group.group_tokens = @min(sum_tables.group_tokens, self.tokens - group.first_token);
        const tile = begin % self.layout.tiles;
        return .{ .group = group, .begin = tile, .end = @min(self.layout.tiles, tile + (end - begin)) };
    }

    /// The tables of the group at hand, made by `fillBlock` unless the thread has them.
    pub inline fn makeTables(
        self: *Operands,
        comptime fillBlock: fn (values: *const [format.activation_block_columns]i8, place: sum_tables.TablePlace) void,
    ) void {
        self.tables = self.own_tables.of(fillBlock, .{
            .stamp = self.stamp,
            .first_token = self.first_token,
            .tokens = self.group_tokens,
            .first_block = self.first_block,
            .block_end = self.block_end,
            .blocks = self.activation_blocks,
            .values = @ptrCast(self.values),
        });
    }

    /// The tables of an activation block of a token, counted from the group's first; those of the next tokens of its four follow.
    pub inline fn tablesOf(self: *const Operands, token: usize, activation_block: usize) [*]const u8 {
        const index = sum_tables.tableIndex(self.group_tokens, self.block_end - self.first_block, token, activation_block - self.first_block);
        return self.tables + index * sum_tables.table_bytes;
    }

    /// `tablesOf` where the tables are wide: those of the first block of four; the next token's of the group follow.
    pub inline fn wideTablesOf(self: *const Operands, token: usize, activation_block: usize) [*]const u8 {
        return self.tables + sum_tables.WidePlace.init(self.group_tokens, token, activation_block - self.first_block).offset;
    }

    /// The 64 scales of a tile's group; of no meaning unless the granularity is group.
    pub inline fn groupScales(self: *const Operands, tile: usize, group: usize) [*]const u8 {
        if (self.granularity != .group) return self.scales;
        return self.scales + (tile * self.layout.groups + group) * format.tile_rows * self.scale_element.bytes();
    }
};

const testing = @import("testing.zig");
const test_case = @import("sherry_linear/test_case.zig");
const Case = test_case.Case;
const Check = fn (case: Case, split: test_case.Split) anyerror!void;
const allocator = std.testing.allocator;

/// Calls `check` with odd shapes: every one with some scaling and kinds, every scaling with some shapes, and every
/// extreme of weights with every extreme of activations.
pub fn forEachCase(comptime check: Check) !void {
    var generator = std.Random.DefaultPrng.init(0x5e44_0002);
    const random = generator.random();
    const columns_choices = [_]usize{ 4, 32, 36, 64, 172, 256, 260, 288, 512, 1000 };
    const tokens_choices = [_]usize{ 1, 2, 3, 4, 5, 6, 8, 19 };
    for ([_]usize{ 1, 63, 64, 65, 172, 200 }) |rows| for (columns_choices) |columns| for (tokens_choices) |tokens| {
        const shape = test_case.scaled(random.uintLessThan(usize, test_case.scalings), rows, columns, tokens);
        const activations = if (random.boolean()) .random else random.enumValue(test_case.ActivationKind);
        try checkOne(check, random, shape, .random, activations);
    };
    for (0..test_case.scalings) |scaling| for (columns_choices) |columns| for ([_]usize{ 1, 7, 12 }) |tokens| {
        try checkOne(check, random, test_case.scaled(scaling, 67, columns, tokens), .random, .random);
    };
    // More columns than one call should take, the first one with more tiles than are begun together.
    for ([_][3]usize{ .{ 530, 4356, 8 }, .{ 65, 8484, 13 }, .{ 3, 32804, 1 } }) |sizes| {
        for ([_]usize{ 0, 7, 15 }) |scaling| {
            try checkOne(check, random, test_case.scaled(scaling, sizes[0], sizes[1], sizes[2]), .random, .random);
        }
    }
    for (std.enums.values(test_case.WeightKind)) |weights| {
        for (std.enums.values(test_case.ActivationKind)) |activations| for (0..test_case.scalings) |scaling| {
            try checkOne(check, random, test_case.scaled(scaling, 65, 516, 3), weights, activations);
        };
    }
}

fn checkOne(
    comptime check: Check,
    random: std.Random,
    shape: test_case.Shape,
    weights: test_case.WeightKind,
    activations: test_case.ActivationKind,
) !void {
    errdefer std.debug.print("{} weights {} activations {}\n", .{ shape, weights, activations });
    const case = try Case.init(random, shape, weights, activations);
    defer case.deinit();
    const blocks = if (random.boolean()) blocksTogether(shape.tokens) else random.intRangeAtMost(usize, 1, 3);
    try check(case, .{ .units = random.uintAtMost(usize, case.units()), .blocks = blocks });
}

/// The contract in f64 from the unpacked weights. Each of the n segments' terms and sums rounds a few times, each by
/// 2^-24 of what is at hand, so (n + 4) * 2^-23 of the terms' magnitudes bounds the difference.
fn expectClose(case: Case, split: test_case.Split) !void {
    const received = try case.compute(test_case.scalar, split);
    defer allocator.free(received);
    const arguments = case.argumentsFor(received.ptr);
    const operands = Operands.init(&arguments);
    const shape = case.shape;
    for (0..shape.tokens) |token| for (0..shape.rows) |row| {
        var expected: f64 = 0;
        var magnitude: f64 = 0;
        for (0..shape.columns) |column| {
            const weight: f64 = @floatFromInt(case.dense[row * shape.columns + column]);
            const value: f64 = @floatFromInt(operands.values[token * operands.padded_columns + column]);
            const activation_scale: f64 = operands.activation_scales[token * operands.activation_blocks + column / 256];
            const term = weight * value * activation_scale * case.scaleOf(row, column);
            expected += term;
            magnitude += @abs(term);
        }
        const segments: f64 = @floatFromInt(shape.columns / operands.segment_columns + 1);
        const y = received[token * shape.rows + row];
        if (std.math.isNan(expected)) {
            try std.testing.expect(std.math.isNan(y));
        } else {
            // Products of f32 scales may leave f32's normal range, whose smallest step then bounds the difference.
            const tolerance = (segments + 4) * 0x1p-23 * magnitude + segments * 0x1p-130;
            try testing.expectNear(expected, y, tolerance);
        }
    };
}

test "scalar keeps the contract" {
    try forEachCase(expectClose);
}

test "AVX2 gives the same bits as scalar" {
    if (comptime !testing.has_avx2) return error.SkipZigTest;
    const avx2 = @import("sherry_linear/avx2.zig").run;
    try forEachCase(struct {
        fn check(case: Case, split: test_case.Split) !void {
            const expected = try case.compute(test_case.scalar, .none);
            defer allocator.free(expected);
            const received = try case.compute(avx2, split);
            defer allocator.free(received);
            try testing.expectSame(f32, expected, received);
        }
    }.check);
}
