//! How fast memory can be read: every byte of a buffer loaded into vector registers and summed, nothing else. What it
//! reaches is the limit that the kernels' streaming speed is held against.
//!
//! Unit of work: one buffer, read `passes` times; the pool gives each thread one.
const std = @import("std");

pub const Arguments = extern struct {
    /// `units` buffers of `buffer_bytes` each, one after another, aligned to 64.
    base: [*]align(64) const u8,
    /// A multiple of `step_bytes`.
    buffer_bytes: usize,
    passes: usize,
    /// 1: ask for each line ahead of its load, as the kernels do; 0: leave it to the CPU.
    prefetches: u32,
    /// The wrapping sum of each unit's 64-bit words over all passes.
    sums: [*]u64,
};

pub const step_bytes = 256;
/// As far ahead, and to the same level, as the ternary product asks (x86.prefetch).
const prefetch_bytes = 10240;
const accumulators = 8;
const Vector = @Vector(4, u64);

pub fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |unit| {
        const buffer = a.base + unit * a.buffer_bytes;
        var sum: u64 = 0;
        for (0..a.passes) |_| {
            sum +%= if (a.prefetches != 0) total(true, buffer, a.buffer_bytes) else total(false, buffer, a.buffer_bytes);
        }
        a.sums[unit] = sum;
    }
}

/// Not inlined, so that no pass is folded into another.
noinline fn total(comptime prefetches: bool, buffer: [*]const u8, bytes: usize) u64 {
    var sums: [accumulators]Vector = @splat(@splat(0));
    var offset: usize = 0;
    while (offset < bytes) : (offset += step_bytes) {
        if (prefetches) {
            inline for (0..step_bytes / 64) |line| @prefetch(buffer + offset + prefetch_bytes + line * 64, .{ .locality = 2 });
        }
        inline for (&sums, 0..) |*sum, i| {
            const words: Vector = @bitCast(@as(@Vector(32, u8), buffer[offset + i * 32 ..][0..32].*));
            sum.* +%= words;
        }
    }
    var result: u64 = 0;
    inline for (sums) |sum| result +%= @reduce(.Add, sum);
    // A pass that the optimizer could prove equal to the last one would cost nothing.
    std.mem.doNotOptimizeAway(result);
    return result;
}

comptime {
    std.debug.assert(step_bytes == accumulators * @sizeOf(Vector));
}

test "the sum is that of every word, once a pass" {
    var generator = std.Random.DefaultPrng.init(0xbe7c_0003);
    const words = try std.testing.allocator.alignedAlloc(u64, .@"64", 3 * 96);
    defer std.testing.allocator.free(words);
    generator.random().bytes(std.mem.sliceAsBytes(words));
    for ([_]u32{ 0, 1 }) |prefetches| {
        var sums: [3]u64 = @splat(0);
        run(&Arguments{
            .base = @ptrCast(words.ptr),
            .buffer_bytes = 96 * 8,
            .passes = 5,
            .prefetches = prefetches,
            .sums = &sums,
        }, 0, 3);
        for (sums, 0..) |sum, unit| {
            var once: u64 = 0;
            for (words[unit * 96 ..][0..96]) |word| once +%= word;
            try std.testing.expectEqual(once *% 5, sum);
        }
    }
}
