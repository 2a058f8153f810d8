//! libsherry_bench: what benches need and the product does not, in a library of its own: baselines, the memory reader,
//! the clock. Its functions return a Status of the C ABI; every buffer belongs to the caller.
pub const modules = .{
    @import("bench/context.zig"),
    @import("bench/memory.zig"),
    @import("bench/measures.zig"),
};

comptime {
    for (modules) |module| _ = module;
}
