//! What can be built: the shared library that Bun loads, the bench's own, the training's own, their bindings,
//! their tests. One file an artifact in zig/build/.
const std = @import("std");
const targets = @import("zig/build/targets.zig");
const library = @import("zig/build/library.zig");
const bench = @import("zig/build/bench.zig");
const training = @import("zig/build/training.zig");
const bindings = @import("zig/build/bindings.zig");
const tests = @import("zig/build/tests.zig");

pub fn build(b: *std.Build) void {
    const chosen = targets.resolve(b);
    b.installArtifact(library.add(b, chosen));
    b.installArtifact(bench.add(b, chosen));
    // Not part of the default step: a newcomer who serves a model does not wait for the kernels of training.
    const training_library = b.addInstallArtifact(training.add(b, chosen), .{});
    b.step("training", "Build the training library").dependOn(&training_library.step);
    b.step("bindings", "Print src/native/symbols.ts").dependOn(bindings.add(b, chosen));
    tests.add(b, chosen, b.step("test", "Run the kernels' tests"));
}
