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
    _ = @import("c_abi/packing.zig");
    _ = @import("kernels/packing/finite.zig");
    _ = @import("kernels/packing/grid_scan.zig");
    _ = @import("kernels/packing/group_sums.zig");
    _ = @import("kernels/packing/halves.zig");
    _ = @import("kernels/packing/narrow.zig");
    _ = @import("kernels/packing/q8_quantize.zig");
    _ = @import("kernels/packing/sherry_encode.zig");
    _ = @import("kernels/packing/statistics.zig");
    _ = @import("kernels/packing/widen.zig");
    _ = @import("kernels/prepared.zig");
    _ = @import("kernels/elements.zig");
}
