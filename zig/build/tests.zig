//! Kernel tests, compiled with safety checks for the level under test: on x86-64 that is AVX2, beside its scalar
//! reference.
const std = @import("std");
const Targets = @import("targets.zig").Targets;

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step {
    const program = b.addTest(.{
        .root_module = b.createModule(.{
            .root_source_file = b.path("zig/tests.zig"),
            .target = targets.avx2 orelse targets.baseline,
            .optimize = .safe,
            .link_libc = true,
        }),
    });
    return &b.addRunArtifact(program).step;
}
