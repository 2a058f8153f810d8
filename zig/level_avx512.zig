//! The kernel table of the AVX-512 level: its own kernels where they are faster, else AVX2's, compiled anew. This file is
//! the root of an object of its own, compiled for x86-64-v4 with VBMI and VNNI, while the rest of the library is compiled
//! for any x86-64: nothing here may run before cpu.zig has said that it can.
const kernel = @import("kernels/kernel.zig");

const table: kernel.Table = kernels: {
    var chosen = @import("kernels/avx2.zig").table;
    chosen.sherry_linear = &@import("kernels/sherry_linear/avx512.zig").run;
    chosen.q8_linear = &@import("kernels/q8_linear/avx512.zig").run;
    chosen.split8_upper = &@import("kernels/split8_upper/avx512.zig").run;
    break :kernels chosen;
};

// Visible inside the library only: the linker joins the object to it, nobody outside can see the name.
comptime {
    @export(&table, .{ .name = "sherry_level_avx512", .visibility = .hidden });
}
