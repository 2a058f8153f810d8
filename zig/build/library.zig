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
    if (targets.avx2) |avx2| addLevel(b, module, "avx2", avx2);
    if (targets.avx512) |avx512| addLevel(b, module, "avx512", avx512);
    return module;
}

fn addLevel(b: *std.Build, module: *std.Build.Module, comptime level: []const u8, target: std.Build.ResolvedTarget) void {
    module.addObject(b.addObject(.{
        .name = "sherry_level_" ++ level,
        .root_module = b.createModule(.{
            .root_source_file = b.path("zig/level_" ++ level ++ ".zig"),
            .target = target,
            .optimize = .fast,
            .pic = true,
            .strip = true,
        }),
    }));
}
