//! libsherry_training: the training kernels, apart from the product's library. It is built when it is asked for by name:
//! whoever only serves models never waits for it.
const std = @import("std");
const Targets = @import("targets.zig").Targets;

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step.Compile {
    const module = b.createModule(.{
        .root_source_file = b.path("zig/training_library.zig"),
        .target = targets.baseline,
        .optimize = .fast,
        .link_libc = true,
        .pic = true,
        .strip = true,
    });
    addLevels(b, targets, module);
    return b.addLibrary(.{ .name = "sherry_training", .linkage = .dynamic, .root_module = module });
}

/// Links the object of each further instruction set level into a module over training_library.zig.
pub fn addLevels(b: *std.Build, targets: Targets, module: *std.Build.Module) void {
    if (targets.avx2) |avx2| {
        module.addObject(b.addObject(.{
            .name = "sherry_training_level_avx2",
            .root_module = b.createModule(.{
                .root_source_file = b.path("zig/training_level_avx2.zig"),
                .target = avx2,
                .optimize = .fast,
                .pic = true,
                .strip = true,
            }),
        }));
    }
}
