//! A context: one kernel table and one thread pool. Every computing function takes one.
const std = @import("std");
const builtin = @import("builtin");
const cpu = @import("../cpu.zig");
const kernel = @import("../kernels/kernel.zig");
const sum_tables = @import("../kernels/sum_tables.zig");
const ThreadPool = @import("../thread_pool.zig").ThreadPool;
const Status = @import("status.zig").Status;

/// Raised whenever a signature or the meaning of an argument changes; the loader refuses any other.
pub const abi_version: u32 = 5;
pub const thread_count_max = 256;

const allocator = std.heap.page_allocator;

extern const sherry_level_avx2: kernel.Table;
extern const sherry_level_avx512: kernel.Table;

pub const Context = struct {
    /// Guards against a pointer that is no context; cleared when the context is destroyed.
    magic: u64,
    level: cpu.Level,
    kernels: *const kernel.Table,
    pool: ThreadPool,
    /// What a call computes on its way and nobody reads after it; grown when a call needs more, so that only the first
    /// call of a kind takes memory.
    scratch: []align(64) u8 = &.{},
    /// Of the threads' tables: one slot for each, and their memory, grown when a product needs more.
    table_slots: []sum_tables.Slot = &.{},
    tables: sum_tables.Set = undefined,

    const valid_magic: u64 = 0x5348_4552_5259_4358;

    /// Runs a kernel over its units on all threads.
    pub fn run(self: *Context, function: *const kernel.Run, arguments: *const anyopaque, count: usize, grain: usize) Status {
        self.pool.run(function, arguments, count, grain) catch return .busy;
        return .ok;
    }

    /// At least `bytes` of scratch memory for the call that asks; null when the system gives none, or when another call
    /// is computing with it.
    pub fn scratchOf(self: *Context, bytes: usize) ?[*]align(64) u8 {
        if (self.pool.busy.load(.acquire)) return null;
        if (self.scratch.len < bytes) {
            const grown = allocator.alignedAlloc(u8, .@"64", bytes) catch return null;
            allocator.free(self.scratch);
            self.scratch = grown;
        }
        return self.scratch.ptr;
    }

    /// The threads' tables, with room for `blocks` activation blocks, at most sherry_linear.blocksTogether(tokens), of a group
    /// of as many tokens.
    pub fn tablesOf(self: *Context, tokens: usize, blocks: usize) error{ Busy, OutOfMemory }!*const sum_tables.Set {
        if (self.pool.busy.load(.acquire)) return error.Busy;
        const group_tokens: usize = @min(tokens, sum_tables.group_tokens);
        const group_bytes = group_tokens * blocks * sum_tables.wide_table_bytes;
        if (self.level != .scalar and self.tables.bytes_each < group_bytes) {
            const bytes = std.math.mul(usize, group_bytes, self.tables.count) catch return error.OutOfMemory;
            const grown = try allocator.alignedAlloc(u8, .@"64", bytes);
            self.freeTables();
            self.tables.memory = grown.ptr;
            self.tables.bytes_each = group_bytes;
            self.tables.clear();
        }
        self.tables.admit();
        return &self.tables;
    }

    fn freeTables(self: *Context) void {
        allocator.free(self.tables.memory[0 .. self.tables.count * self.tables.bytes_each]);
    }

    pub fn from(pointer: ?*Context) ?*Context {
        const context = pointer orelse return null;
        return if (context.magic == valid_magic) context else null;
    }
};

fn tableOf(level: cpu.Level) *const kernel.Table {
    return switch (level) {
        .scalar => &@import("../level_scalar.zig").table,
        .avx2 => if (builtin.cpu.arch == .x86_64) &sherry_level_avx2 else unreachable,
        .avx512 => if (builtin.cpu.arch == .x86_64) &sherry_level_avx512 else unreachable,
    };
}

pub export fn sherry_abi_version() callconv(.c) u32 {
    return abi_version;
}

/// The best level that this machine runs, as cpu.Level's value.
pub export fn sherry_cpu_level_best() callconv(.c) u32 {
    return @backingInt(cpu.detect());
}

/// Makes a context with `thread_count` threads, the caller's own included, and writes its address to `out`.
pub export fn sherry_context_create(level: u32, thread_count: u32, out: ?*?*Context) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = null;
    if (thread_count == 0 or thread_count > thread_count_max) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.Level.avx512)) return Status.argument_invalid.code();
    if (level > @backingInt(cpu.detect())) return Status.cpu_unsupported.code();
    const chosen: cpu.Level = @fromBackingInt(@intCast(level));
    const context = allocator.create(Context) catch return Status.out_of_memory.code();
    context.magic = Context.valid_magic;
    context.level = chosen;
    context.kernels = tableOf(chosen);
    context.scratch = &.{};
    context.table_slots = allocator.alloc(sum_tables.Slot, thread_count) catch {
        allocator.destroy(context);
        return Status.out_of_memory.code();
    };
    const no_memory: []align(64) u8 = &.{};
    context.tables = .{ .slots = context.table_slots.ptr, .count = thread_count, .memory = no_memory.ptr, .bytes_each = 0 };
    context.tables.clear();
    context.pool.start(allocator, thread_count) catch |cause| {
        allocator.free(context.table_slots);
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
pub export fn sherry_context_destroy(pointer: ?*Context) callconv(.c) i32 {
    const context = Context.from(pointer) orelse return Status.argument_invalid.code();
    if (context.pool.busy.load(.acquire)) return Status.busy.code();
    context.pool.stop(allocator);
    allocator.free(context.scratch);
    context.freeTables();
    allocator.free(context.table_slots);
    context.magic = 0;
    allocator.destroy(context);
    return Status.ok.code();
}
