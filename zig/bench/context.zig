//! A bench context: one table of functions and one thread pool, as the product's own context has.
const std = @import("std");
const builtin = @import("builtin");
const cpu = @import("../cpu.zig");
const kernel = @import("../kernels/kernel.zig");
const ThreadPool = @import("../thread_pool.zig").ThreadPool;
const Status = @import("../c_abi/status.zig").Status;
const Table = @import("table.zig").Table;

/// Raised whenever a signature or the meaning of an argument changes.
pub const abi_version: u32 = 1;
pub const thread_count_max = 256;

const allocator = std.heap.page_allocator;

extern const sherry_bench_level_avx2: Table;

const scalar: Table = .{
    .read = &@import("read.zig").run,
    .two_bit_prepare = &@import("two_bit_prepare.zig").run,
    .two_bit_linear = &@import("two_bit_scalar.zig").run,
    .peak_integers = null,
    .peak_floats = null,
};

pub const BenchContext = struct {
    /// Guards against a pointer that is no context; cleared when the context is destroyed.
    magic: u64,
    table: *const Table,
    pool: ThreadPool,

    const valid_magic: u64 = 0x5348_4552_4245_4e43;

    pub fn run(self: *BenchContext, function: *const kernel.Run, arguments: *const anyopaque, count: usize, grain: usize) Status {
        self.pool.run(function, arguments, count, grain) catch return .busy;
        return .ok;
    }

    pub fn from(pointer: ?*BenchContext) ?*BenchContext {
        const context = pointer orelse return null;
        return if (context.magic == valid_magic) context else null;
    }
};

pub export fn sherry_bench_abi_version() callconv(.c) u32 {
    return abi_version;
}

/// Makes a context of a level (cpu.Level's value) with `thread_count` threads, the caller's own included.
pub export fn sherry_bench_context_create(level: u32, thread_count: u32, out: ?*?*BenchContext) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = null;
    if (thread_count == 0 or thread_count > thread_count_max) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.Level.avx512)) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.detect())) return Status.cpu_unsupported.code();
    const chosen: cpu.Level = @fromBackingInt(@intCast(level));
    const context = allocator.create(BenchContext) catch return Status.out_of_memory.code();
    context.magic = BenchContext.valid_magic;
    context.table = switch (chosen) {
        .scalar => &scalar,
        // There is nothing here of the AVX-512 level's own.
        .avx2, .avx512 => if (builtin.cpu.arch == .x86_64) &sherry_bench_level_avx2 else unreachable,
    };
    context.pool.start(allocator, thread_count) catch |cause| {
        allocator.destroy(context);
        return switch (cause) {
            error.OutOfMemory => Status.out_of_memory.code(),
            error.ThreadStartFailed => Status.thread_start_failed.code(),
        };
    };
    slot.* = context;
    return Status.ok.code();
}

/// Ends the threads and frees the context. It must not be computing.
pub export fn sherry_bench_context_destroy(pointer: ?*BenchContext) callconv(.c) i32 {
    const context = BenchContext.from(pointer) orelse return Status.argument_invalid.code();
    if (context.pool.busy.load(.acquire)) return Status.busy.code();
    context.pool.stop(allocator);
    context.magic = 0;
    allocator.destroy(context);
    return Status.ok.code();
}
