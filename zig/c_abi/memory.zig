//! Memory outside JavaScript's heap: zeroed pages for caches and activations, and read-only maps of model files.
//! Pages are taken from the system when first touched, so a cache sized for a long context costs what is used of it.
const std = @import("std");
const posix = std.posix;
const linux = std.os.linux;
const Status = @import("status.zig").Status;

const page = std.heap.page_size_min;

/// Zeroed, page-aligned memory of at least `bytes`; its address goes to `out`.
pub export fn sherry_memory_allocate(bytes: usize, out: ?*usize) callconv(.c) i32 {
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = 0;
    if (bytes == 0) return Status.argument_invalid.code();
    const memory = posix.mmap(
        null,
        bytes,
        .{ .READ = true, .WRITE = true },
        .{ .TYPE = .PRIVATE, .ANONYMOUS = true, .NORESERVE = true },
        -1,
        0,
    ) catch return Status.out_of_memory.code();
    slot.* = @intFromPtr(memory.ptr);
    return Status.ok.code();
}

/// Gives back what sherry_memory_allocate or sherry_map_open gave: the same address and bytes.
pub export fn sherry_memory_free(address: usize, bytes: usize) callconv(.c) i32 {
    if (address == 0 or bytes == 0 or address % page != 0) return Status.argument_invalid.code();
    const pointer: [*]align(page) const u8 = @ptrFromInt(address);
    posix.munmap(pointer[0..bytes]);
    return Status.ok.code();
}

/// Keeps the pages of a range in memory, reading those that are not there yet, until it is freed. lock_refused when the
/// system does not allow that much (RLIMIT_MEMLOCK) or the range is not mapped.
pub export fn sherry_memory_lock(address: usize, bytes: usize) callconv(.c) i32 {
    if (address == 0 or bytes == 0 or address % page != 0) return Status.argument_invalid.code();
    const result = linux.mlock(@ptrFromInt(address), bytes);
    return if (linux.errno(result) == .SUCCESS) Status.ok.code() else Status.lock_refused.code();
}

/// Maps a whole file for reading. `path` ends with a zero byte. Writes address and bytes to `out[0]` and `out[1]`.
/// The map is private and survives a rename over the file; a file that is shortened in place faults its readers, which
/// is why the packer only ever replaces files by rename.
///
/// Where the system keeps files in huge pages it is asked for them: a step reads all weights, and fewer entries of the page
/// table on the way make it faster. That is advice, which a system may not know and which changes nothing about what is read;
/// pages that are in memory already stay as they are.
pub export fn sherry_map_open(path: ?[*:0]const u8, out: ?*[2]usize) callconv(.c) i32 {
    const name = path orelse return Status.argument_invalid.code();
    const slot = out orelse return Status.argument_invalid.code();
    slot.* = .{ 0, 0 };
    // Not blocking, so that a pipe with nobody at its other end is refused rather than waited for.
    const flags: posix.O = .{ .ACCMODE = .RDONLY, .CLOEXEC = true, .NONBLOCK = true };
    const descriptor = posix.openatZ(posix.AT.FDCWD, name, flags, 0) catch return Status.file_unreadable.code();
    defer _ = linux.close(descriptor);
    const bytes = regularFileBytes(descriptor) orelse return Status.file_unreadable.code();
    const memory = posix.mmap(null, bytes, .{ .READ = true }, .{ .TYPE = .PRIVATE }, descriptor, 0) catch |cause|
        return switch (cause) {
            error.OutOfMemory => Status.out_of_memory.code(),
            else => Status.file_unreadable.code(),
        };
    _ = linux.madvise(memory.ptr, memory.len, linux.MADV.HUGEPAGE);
    slot.* = .{ @intFromPtr(memory.ptr), bytes };
    return Status.ok.code();
}

/// The size of a regular file; null for anything else and for an empty one.
fn regularFileBytes(descriptor: posix.fd_t) ?usize {
    var about: linux.Statx = undefined;
    const result = linux.statx(descriptor, "", linux.AT.EMPTY_PATH, .{ .TYPE = true, .SIZE = true }, &about);
    if (linux.errno(result) != .SUCCESS or !linux.S.ISREG(about.mode) or about.size == 0) return null;
    return std.math.cast(usize, about.size);
}
