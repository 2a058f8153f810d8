//! Every file that holds tests, so that `zig build test` runs them all.
test {
    _ = @import("format.zig");
    _ = @import("thread_pool.zig");
    _ = @import("kernels/lanes.zig");
    _ = @import("kernels/prepare.zig");
    _ = @import("kernels/sherry_linear.zig");
    _ = @import("kernels/q8_linear.zig");
    _ = @import("kernels/dense_linear.zig");
    _ = @import("kernels/embedding.zig");
    _ = @import("kernels/rms_norm.zig");
    _ = @import("kernels/rotary.zig");
    _ = @import("kernels/rotary_table.zig");
    _ = @import("kernels/key_value_store.zig");
    _ = @import("kernels/attention.zig");
    _ = @import("kernels/swiglu.zig");
    _ = @import("kernels/add.zig");
    _ = @import("kernels/softmax.zig");
    _ = @import("kernels/argmax.zig");
}
