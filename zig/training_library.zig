//! libsherry_training: forward and backward kernels of training, in a library of its own that the product never loads.
//! Its functions return a Status of the C ABI; every buffer is f32 unless said otherwise, row-major, and the caller's.
pub const modules = .{
    @import("training/context.zig"),
    @import("training/abi/products.zig"),
    @import("training/abi/layers.zig"),
    @import("training/abi/attention.zig"),
    @import("training/abi/losses.zig"),
    @import("training/abi/quantizer.zig"),
    @import("training/abi/optimizer.zig"),
};

comptime {
    for (modules) |module| _ = module;
}
