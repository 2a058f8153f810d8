//! The program that prints the TypeScript side's symbol table.
const std = @import("std");
const Targets = @import("targets.zig").Targets;
const bench = @import("bench.zig");
const library = @import("library.zig");
const training = @import("training.zig");

pub fn add(b: *std.Build, targets: Targets) *std.Build.Step {
    const module = library.rootModule(b, targets, "zig/bindings.zig");
    bench.addLevels(b, targets, module);
    training.addLevels(b, targets, module);
    const program = b.addExecutable(.{ .name = "bindings", .root_module = module });
    return &b.addRunArtifact(program).step;
}
