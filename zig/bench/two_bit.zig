//! The bench's 2-bit baseline: y = x W^T for ternary weights of two bits each, the design that most engines for
//! ternary models have (I2_S of bitnet.cpp: codes 0, 1, 2 for -1, 0, +1; int8 activations with one scale a token;
//! multiply-add of bytes, the activations' sum taken off at the end). Written anew and written well, so that a ratio to
//! it means something: rows by fours, so that activations are loaded once for four rows and the weights are one stream.
//!
//! Result, the same bits from every implementation: f32(sum of code * x - sum of x) * (activation scale * weight scale),
//! the sums exact integers.
//!
//! Unit of work: four rows. Rows past `rows` are computed but never written.
const std = @import("std");
const format = @import("../format.zig");

pub const group_rows = 4;
/// Columns that 32 bytes hold: byte i holds column i in its lowest two bits, then i + 32, i + 64 and i + 96.
pub const chunk_columns = 128;
pub const vector_bytes = 32;
pub const activation_max = 127;

/// R rows padded to fours, K columns padded to 128: group after group, chunk after chunk, 32 bytes a row.
pub const Layout = struct {
    groups: usize,
    chunks: usize,
    bytes: usize,

    /// Null when a size is zero or a product overflows.
    pub fn init(rows: usize, columns: usize) ?Layout {
        if (rows == 0 or columns == 0) return null;
        const groups = (format.roundUp(rows, group_rows) orelse return null) / group_rows;
        const chunks = (format.roundUp(columns, chunk_columns) orelse return null) / chunk_columns;
        const chunk_count = std.math.mul(usize, groups, chunks) catch return null;
        return .{
            .groups = groups,
            .chunks = chunks,
            .bytes = std.math.mul(usize, chunk_count, group_rows * vector_bytes) catch return null,
        };
    }
};

/// One token's activations: int8 values [K padded to 128], zeros past K, then the head.
pub const Prepared = struct {
    pub const Head = extern struct { scale: f32, sum: i32 };

    head_offset: usize,
    bytes: usize,

    pub fn init(columns: usize) ?Prepared {
        if (columns == 0) return null;
        const padded = format.roundUp(columns, chunk_columns) orelse return null;
        return .{ .head_offset = padded, .bytes = std.math.add(usize, padded, 64) catch return null };
    }
};

pub const Arguments = extern struct {
    /// Codes 0, 1, 2 as `Layout` lays them out, aligned to 64.
    weights: [*]align(64) const u8,
    rows: usize,
    columns: usize,
    /// Laid out by Prepared.init(columns), aligned to 64.
    prepared: [*]align(64) const u8,
    weight_scale: f32,
    /// f32 [R]
    y: [*]f32,
};

/// What both implementations do with an exact sum of codes times activations.
pub inline fn output(arguments: *const Arguments, head: Prepared.Head, sum: i32) f32 {
    return @as(f32, @floatFromInt(sum - head.sum)) * (head.scale * arguments.weight_scale);
}

pub inline fn headOf(arguments: *const Arguments) Prepared.Head {
    const layout = Prepared.init(arguments.columns).?;
    const head: *const Prepared.Head = @ptrCast(@alignCast(arguments.prepared + layout.head_offset));
    return head.*;
}

const scalar = @import("two_bit_scalar.zig");
const two_bit_prepare = @import("two_bit_prepare.zig");
const builtin = @import("builtin");
const has_avx2 = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx2);

/// y from the weights one by one, in the order of `Layout`'s description alone.
fn expected(arguments: *const Arguments, row: usize) f32 {
    const layout = Layout.init(arguments.rows, arguments.columns).?;
    const values: [*]const i8 = @ptrCast(arguments.prepared);
    var sum: i32 = 0;
    for (0..arguments.columns) |column| {
        const chunk = (row / group_rows * layout.chunks + column / chunk_columns) * group_rows + row % group_rows;
        const byte = arguments.weights[chunk * vector_bytes + column % vector_bytes];
        const code: i32 = (byte >> @intCast(column % chunk_columns / vector_bytes * 2)) & 3;
        sum += (code - 1) * @as(i32, values[column]);
    }
    return @as(f32, @floatFromInt(sum)) * (headOf(arguments).scale * arguments.weight_scale);
}

test "both implementations are exact, extremes and odd sizes included" {
    const allocator = std.testing.allocator;
    var generator = std.Random.DefaultPrng.init(0xbe7c_0001);
    const random = generator.random();
    for ([_]usize{ 1, 3, 4, 5, 64, 70 }) |rows| for ([_]usize{ 4, 127, 128, 129, 1024, 1152, 2304, 8644 }) |columns| {
        for (0..3) |kind| {
            errdefer std.debug.print("rows {} columns {} kind {}\n", .{ rows, columns, kind });
            const layout = Layout.init(rows, columns).?;
            const weights = try allocator.alignedAlloc(u8, .@"64", layout.bytes);
            defer allocator.free(weights);
            for (weights) |*byte| {
                byte.* = 0;
                for (0..4) |_| byte.* = byte.* << 2 | if (kind == 1) 2 else random.uintLessThan(u8, 3);
            }
            const x = try allocator.alloc(f32, columns);
            defer allocator.free(x);
            for (x) |*value| value.* = if (kind == 1) 3 else if (kind == 2) 0 else random.floatNorm(f32);
            const prepared = try allocator.alignedAlloc(u8, .@"64", Prepared.init(columns).?.bytes);
            defer allocator.free(prepared);
            const prepare_arguments = two_bit_prepare.Arguments{ .x = x.ptr, .columns = columns, .prepared = prepared.ptr };
            two_bit_prepare.run(&prepare_arguments, 0, 1);
            const y = try allocator.alloc(f32, rows);
            defer allocator.free(y);
            const arguments = Arguments{
                .weights = weights.ptr,
                .rows = rows,
                .columns = columns,
                .prepared = prepared.ptr,
                .weight_scale = 0.37,
                .y = y.ptr,
            };
            inline for (.{ scalar, if (has_avx2) @import("two_bit_avx2.zig") else scalar }) |implementation| {
                @memset(y, std.math.nan(f32));
                const cut = random.uintAtMost(usize, layout.groups);
                implementation.run(&arguments, cut, layout.groups);
                implementation.run(&arguments, 0, cut);
                for (y, 0..) |value, row| try std.testing.expectEqual(expected(&arguments, row), value);
            }
        }
    };
}

test "sizes of zero and products that would overflow give no layout" {
    try std.testing.expectEqual(null, Layout.init(0, 4));
    try std.testing.expectEqual(null, Layout.init(4, 0));
    try std.testing.expectEqual(null, Layout.init(1 << 40, 1 << 40));
    try std.testing.expectEqual(null, Prepared.init(0));
    try std.testing.expectEqual(null, Prepared.init(std.math.maxInt(usize)));
}
