//! A training context: one table of functions, one thread pool, and scratch memory that grows to what the largest call
//! needs and is kept.
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
/// Element operations that are worth waking a thread for: some microseconds of work.
const work_min = 16_384;

extern const sherry_training_level_avx2: Table;

const scalar = @import("level_scalar.zig").table;

pub const TrainingContext = struct {
    /// Guards against a pointer that is no context; cleared when the context is destroyed.
    magic: u64,
    table: *const Table,
    pool: ThreadPool,
    scratch: []align(64) u8,

    const valid_magic: u64 = 0x5348_4552_5452_4e47;

    pub fn run(self: *TrainingContext, function: *const kernel.Run, arguments: *const anyopaque, count: usize, grain: usize) Status {
        self.pool.run(function, arguments, count, grain) catch return .busy;
        return .ok;
    }

    /// Computes `count` units that take about `unit_work` element operations each.
    pub fn runUnits(self: *TrainingContext, function: *const kernel.Run, arguments: *const anyopaque, count: usize, unit_work: usize) Status {
        return self.run(function, arguments, count, @max(1, work_min / @max(1, unit_work)));
    }

    /// At least `bytes` of scratch, its contents undefined; valid until the next call.
    pub fn scratchOf(self: *TrainingContext, bytes: usize) ?[]align(64) u8 {
        if (self.scratch.len < bytes) {
            const grown = allocator.alignedAlloc(u8, .@"64", bytes) catch return null;
            allocator.free(self.scratch);
            self.scratch = grown;
        }
        return self.scratch;
    }

    pub fn from(pointer: ?*TrainingContext) ?*TrainingContext {
        const context = pointer orelse return null;
        return if (context.magic == valid_magic) context else null;
    }
};

pub export fn sherry_train_abi_version() callconv(.c) u32 {
    return abi_version;
}

/// Makes a context of a level (cpu.Level's value) with `thread_count` threads, the caller's own included.
pub export fn sherry_train_context_create(level: u32, thread_count: u32, out: ?*?*TrainingContext) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = null;
    if (thread_count == 0 or thread_count > thread_count_max) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.Level.avx512)) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.detect())) return Status.cpu_unsupported.code();
    const chosen: cpu.Level = @fromBackingInt(@intCast(level));
    const context = allocator.create(TrainingContext) catch return Status.out_of_memory.code();
    context.magic = TrainingContext.valid_magic;
    context.scratch = &.{};
    context.table = switch (chosen) {
        .scalar => &scalar,
        // There is nothing here of the AVX-512 level's own.
        .avx2, .avx512 => if (builtin.cpu.arch == .x86_64) &sherry_training_level_avx2 else unreachable,
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
pub export fn sherry_train_context_destroy(pointer: ?*TrainingContext) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (context.pool.busy.load(.acquire)) return Status.busy.code();
    context.pool.stop(allocator);
    allocator.free(context.scratch);
    context.magic = 0;
    allocator.destroy(context);
    return Status.ok.code();
}
