test {
    _ = @import("kernels/lanes.zig");
}
