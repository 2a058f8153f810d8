//! Kernel tests, compiled with safety checks for the level under test, beside its scalar reference: on x86-64 one program
//! for AVX2 and one for AVX-512.
const std = @import("std");
const Targets = @import("targets.zig").Targets;

/// Makes `step` run them all.
pub fn add(b: *std.Build, targets: Targets, step: *std.Build.Step) void {
    const all = b.addTest(.{ .root_module = moduleOf(b, "zig/tests.zig", targets.avx2 orelse targets.baseline) });
    const target = if (targets.host_has_avx512) targets.avx512 else null;
    const avx512 = b.addTest(.{
        .name = "test-avx512",
        .root_module = moduleOf(b, "zig/tests_avx512.zig", target orelse targets.avx2 orelse targets.baseline),
        // Of the files that these tests share with the others, theirs alone.
        .filters = &.{"AVX-512"},
    });
    for ([_]*std.Build.Step.Compile{ all, avx512 }) |program| step.dependOn(&b.addRunArtifact(program).step);
}

fn moduleOf(b: *std.Build, root: []const u8, target: std.Build.ResolvedTarget) *std.Build.Module {
    return b.createModule(.{
        .root_source_file = b.path(root),
        .target = target,
        .optimize = .safe,
        .link_libc = true,
    });
}
