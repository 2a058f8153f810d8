//! The program that prints the TypeScript side's symbol table.
const std = @import("std");
const Targets = @import("targets.zig").Targets;
const library = @import("library.zig");

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step {
    const program = b.addExecutable(.{ .name = "bindings", .root_module = library.rootModule(b, targets, "zig/bindings.zig") });
    return &b.addRunArtifact(program).step;
}
