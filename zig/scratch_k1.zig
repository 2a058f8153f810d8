test {
    _ = @import("kernels/prepared.zig");
    _ = @import("kernels/prepare.zig");
    _ = @import("format.zig");
}
