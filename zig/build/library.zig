//! libsherry: the C ABI with the scalar kernels, joined to one object for each further instruction set level.
const std = @import("std");
const Targets = @import("targets.zig").Targets;

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step.Compile {
    return b.addLibrary(.{ .name = "sherry", .linkage = .dynamic, .root_module = rootModule(b, targets, "zig/c_abi.zig") });
}

/// A module over the C ABI with every level's object linked in.
pub fn rootModule(b: *std.Build, targets: Targets, root: []const u8) *std.Build.Module {
    const module = b.createModule(.{
        .root_source_file = b.path(root),
        .target = targets.baseline,
        .optimize = .fast,
        // Threads come from the C library that the host process runs on.
        .link_libc = true,
        .pic = true,
        .strip = true,
    });
    if (targets.avx2) |avx2| {
        module.addObject(b.addObject(.{
            .name = "sherry_level_avx2",
            .root_module = b.createModule(.{
                .root_source_file = b.path("zig/level_avx2.zig"),
                .target = avx2,
                .optimize = .fast,
                .pic = true,
                .strip = true,
            }),
        }));
    }
    return module;
}
