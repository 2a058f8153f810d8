//! The kernel table of the AVX2 level. This file is the root of an object of its own, compiled for x86-64-v3, while the
//! rest of the library is compiled for any x86-64: nothing here may run before cpu.zig has said that it can.
const table = @import("kernels/avx2.zig").table;

// Visible inside the library only: the linker joins the object to it, nobody outside can see the name.
comptime {
    @export(&table, .{ .name = "sherry_level_avx2", .visibility = .hidden });
}
