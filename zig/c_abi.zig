//! The library's root: everything it exports, and nothing else. Functions return a Status; sizes are counts of
//! elements unless they end in _bytes; every buffer belongs to the caller. bindings.zig turns these declarations into
//! the table that src/native loads.
pub const modules = .{
    @import("c_abi/context.zig"),
    @import("c_abi/memory.zig"),
    @import("c_abi/linear.zig"),
    @import("c_abi/head.zig"),
    @import("c_abi/step.zig"),
    @import("c_abi/attention.zig"),
    @import("c_abi/calls.zig"),
    @import("c_abi/packing.zig"),
    @import("c_abi/packing_split8.zig"),
};

comptime {
    for (modules) |module| _ = module;
}
