//! The functions whose time the bench takes: memory reads, the clock's chain, the vector units' peak, the 2-bit
//! baseline, and a call that does nothing.
const std = @import("std");
const Status = @import("../c_abi/status.zig").Status;
const checks = @import("../c_abi/checks.zig");
const BenchContext = @import("context.zig").BenchContext;
const clock = @import("clock.zig");
const peak = @import("peak.zig");
const read = @import("read.zig");
const two_bit = @import("two_bit.zig");
const two_bit_prepare = @import("two_bit_prepare.zig");

/// What a call costs that only carries five pointers across.
pub export fn sherry_bench_empty(
    a: ?*const anyopaque,
    b: ?*const anyopaque,
    c: ?*const anyopaque,
    d: ?*const anyopaque,
    e: ?*const anyopaque,
) callconv(.c) i32 {
    std.mem.doNotOptimizeAway(.{ a, b, c, d, e });
    return Status.ok.code();
}

/// `rounds` rounds of additions that each take one cycle; their number goes to `out[0]`, their sum to `out[1]`. A number
/// of 0 says that the architecture has no such chain here.
pub export fn sherry_bench_add_chain(rounds: u64, out: ?*[2]u64) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    const additions = std.math.mul(u64, rounds, clock.chain_length) catch return Status.argument_invalid.code();
    slot.* = .{ if (clock.is_known) additions else 0, clock.addChain(rounds, 1) };
    return Status.ok.code();
}

/// Every thread computes `rounds` rounds in its registers; the operations of all go to `out`, 0 when the level has no
/// such loop. `kind` 0: integers, 1: floats.
pub export fn sherry_bench_peak(pointer: ?*BenchContext, kind: u32, rounds: usize, out: ?*u64) callconv(.c) i32 {
    const context = BenchContext.from(pointer) orelse return Status.argument_invalid.code();
    const slot = out orelse return Status.argument_invalid.code();
    if (kind > 1 or rounds == 0) return Status.argument_invalid.code();
    slot.* = 0;
    const function = (if (kind == 0) context.table.peak_integers else context.table.peak_floats) orelse
        return Status.ok.code();
    const threads = context.pool.threadCount();
    const operations: usize = if (kind == 0) peak.integer_operations else peak.float_operations;
    const total = checks.product(&.{ rounds, threads, operations }) orelse return Status.argument_invalid.code();
    const status = context.run(function, &peak.Arguments{ .rounds = rounds }, threads, 1);
    if (status == .ok) slot.* = total;
    return status.code();
}

/// Each thread reads its own `buffer_bytes` (a multiple of 256) at `base` `passes` times; `sums` takes one u64 a thread.
pub export fn sherry_bench_read(
    pointer: ?*BenchContext,
    base: ?*const anyopaque,
    bytes: usize,
    buffer_bytes: usize,
    passes: usize,
    prefetches: u32,
    sums: ?[*]u64,
) callconv(.c) i32 {
    const context = BenchContext.from(pointer) orelse return Status.argument_invalid.code();
    const threads = context.pool.threadCount();
    const total = checks.product(&.{ buffer_bytes, threads }) orelse return Status.argument_invalid.code();
    if (bytes < total or buffer_bytes % read.step_bytes != 0 or passes == 0 or prefetches > 1) {
        return Status.argument_invalid.code();
    }
    const arguments = read.Arguments{
        .base = checks.alignedConst(u8, base) orelse return Status.argument_invalid.code(),
        .buffer_bytes = buffer_bytes,
        .passes = passes,
        .prefetches = prefetches,
        .sums = sums orelse return Status.argument_invalid.code(),
    };
    return context.run(context.table.read, &arguments, threads, 1).code();
}

/// The bytes of R x K weights and of K prepared activations of the 2-bit baseline, to `out[0]` and `out[1]`.
pub export fn sherry_bench_two_bit_bytes(rows: usize, columns: usize, out: ?*[2]usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    const layout = two_bit.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    const prepared = two_bit.Prepared.init(columns) orelse return Status.argument_invalid.code();
    slot.* = .{ layout.bytes, prepared.bytes };
    return Status.ok.code();
}

/// x f32 [K], finite, to int8.
pub export fn sherry_bench_two_bit_prepare(
    pointer: ?*BenchContext,
    x: ?[*]const f32,
    columns: usize,
    prepared: ?*anyopaque,
    prepared_bytes: usize,
) callconv(.c) i32 {
    const context = BenchContext.from(pointer) orelse return Status.argument_invalid.code();
    const layout = two_bit.Prepared.init(columns) orelse return Status.argument_invalid.code();
    if (prepared_bytes < layout.bytes) return Status.argument_invalid.code();
    const arguments = two_bit_prepare.Arguments{
        .x = x orelse return Status.argument_invalid.code(),
        .columns = columns,
        .prepared = checks.aligned(u8, prepared) orelse return Status.argument_invalid.code(),
    };
    return context.run(context.table.two_bit_prepare, &arguments, 1, 1).code();
}

/// y f32 [R] = prepared activations times weights^T.
pub export fn sherry_bench_two_bit_linear(
    pointer: ?*BenchContext,
    weights: ?*const anyopaque,
    weights_bytes: usize,
    rows: usize,
    columns: usize,
    prepared: ?*const anyopaque,
    prepared_bytes: usize,
    y: ?[*]f32,
) callconv(.c) i32 {
    const context = BenchContext.from(pointer) orelse return Status.argument_invalid.code();
    const layout = two_bit.Layout.init(rows, columns) orelse return Status.argument_invalid.code();
    const prepared_layout = two_bit.Prepared.init(columns) orelse return Status.argument_invalid.code();
    if (weights_bytes < layout.bytes or prepared_bytes < prepared_layout.bytes) return Status.argument_invalid.code();
    const arguments = two_bit.Arguments{
        .weights = checks.alignedConst(u8, weights) orelse return Status.argument_invalid.code(),
        .rows = rows,
        .columns = columns,
        .prepared = checks.alignedConst(u8, prepared) orelse return Status.argument_invalid.code(),
        .weight_scale = 1,
        .y = y orelse return Status.argument_invalid.code(),
    };
    // The product's own measure of what is worth a thread, in groups of four rows.
    const grain = @max(1, 262_144 / (layout.chunks * two_bit.chunk_columns * two_bit.group_rows));
    return context.run(context.table.two_bit_linear, &arguments, layout.groups, grain).code();
}
