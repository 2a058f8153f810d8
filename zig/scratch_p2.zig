test {
    _ = @import("kernels/packing/statistics.zig");
    _ = @import("kernels/packing/widen.zig");
    _ = @import("kernels/packing/narrow.zig");
    _ = @import("kernels/packing/grid_scan.zig");
    _ = @import("kernels/packing/group_sums.zig");
    _ = @import("kernels/packing/sherry_encode.zig");
    _ = @import("kernels/packing/q8_quantize.zig");
    _ = @import("c_abi/packing.zig");
}
