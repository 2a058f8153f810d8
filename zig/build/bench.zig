//! libsherry_bench: the bench's baselines and measures, apart from the product's library.
const std = @import("std");
const Targets = @import("targets.zig").Targets;

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step.Compile {
    const module = b.createModule(.{
        .root_source_file = b.path("zig/bench.zig"),
        .target = targets.baseline,
        .optimize = .fast,
        .link_libc = true,
        .pic = true,
        .strip = true,
    });
    addLevels(b, targets, module);
    return b.addLibrary(.{ .name = "sherry_bench", .linkage = .dynamic, .root_module = module });
}

/// Links the object of each further instruction set level into a module over bench.zig.
pub fn addLevels(b: *std.Build, targets: Targets, module: *std.Build.Module) void {
    if (targets.avx2) |avx2| {
        module.addObject(b.addObject(.{
            .name = "sherry_bench_level_avx2",
            .root_module = b.createModule(.{
                .root_source_file = b.path("zig/bench_level_avx2.zig"),
                .target = avx2,
                .optimize = .fast,
                .pic = true,
                .strip = true,
            }),
        }));
    }
}
