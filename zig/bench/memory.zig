//! Memory for benches: anonymous pages, huge or small as asked, and their contents.
const std = @import("std");
const posix = std.posix;
const linux = std.os.linux;
const Status = @import("../c_abi/status.zig").Status;
const checks = @import("../c_abi/checks.zig");
const fill = @import("fill.zig");

const huge_page = 2 << 20;

/// Zeroed memory of `bytes`, a multiple of 2 MiB, aligned to 2 MiB; its address goes to `out`. `huge` 1 asks the system
/// for huge pages and 0 for small ones; whether it gives them shows in /proc/self/smaps alone.
pub export fn sherry_bench_memory_allocate(bytes: usize, huge: u32, out: ?*usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = 0;
    if (bytes == 0 or bytes % huge_page != 0 or huge > 1) return Status.argument_invalid.code();
    const reserved = std.math.add(usize, bytes, huge_page) catch return Status.out_of_memory.code();
    const memory = posix.mmap(
        null,
        reserved,
        .{ .READ = true, .WRITE = true },
        .{ .TYPE = .PRIVATE, .ANONYMOUS = true, .NORESERVE = true },
        -1,
        0,
    ) catch return Status.out_of_memory.code();
    // The ends that alignment leaves over go back at once; both are whole pages.
    const skipped = std.mem.alignForward(usize, @intFromPtr(memory.ptr), huge_page) - @intFromPtr(memory.ptr);
    if (skipped != 0) posix.munmap(memory[0..skipped]);
    const aligned: []align(std.heap.page_size_min) u8 = @alignCast(memory[skipped .. skipped + bytes]);
    posix.munmap(@alignCast(memory[skipped + bytes ..]));
    // Advice that the system does not know leaves its own choice in place, which smaps then shows.
    _ = linux.madvise(aligned.ptr, bytes, if (huge == 1) linux.MADV.HUGEPAGE else linux.MADV.NOHUGEPAGE);
    slot.* = @intFromPtr(aligned.ptr);
    return Status.ok.code();
}

/// Gives back what sherry_bench_memory_allocate gave: the same address and bytes.
pub export fn sherry_bench_memory_free(address: usize, bytes: usize) callconv(.c) i32 {
    if (address == 0 or bytes == 0 or address % huge_page != 0) return Status.argument_invalid.code();
    const pointer: [*]align(std.heap.page_size_min) const u8 = @ptrFromInt(address);
    posix.munmap(pointer[0..bytes]);
    return Status.ok.code();
}

/// Fills `bytes` at `memory`, aligned to 64, with pseudo-random contents; `pattern` is fill.Pattern's value.
pub export fn sherry_bench_fill(memory: ?*anyopaque, bytes: usize, seed: u64, pattern: u32) callconv(.c) i32 {
    const start = checks.aligned(u8, memory) orelse return Status.argument_invalid.code();
    if (bytes == 0 or pattern > 1) return Status.argument_invalid.code();
    fill.fill(start[0..bytes], seed, @fromBackingInt(@intCast(pattern)));
    return Status.ok.code();
}
