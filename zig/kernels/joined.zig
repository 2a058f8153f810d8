//! Several jobs of one kernel as one job, whose units are those of the first, then those of the second and so on: what
//! sequences of one pass each do on a cache of their own, run on all threads with one wait at the end.
const std = @import("std");
const kernel = @import("kernel.zig");

pub const Job = struct {
    /// The kernel's own `Arguments`.
    arguments: *const anyopaque,
    units: usize,
};

pub const Arguments = struct {
    function: *const kernel.Run,
    jobs: []const Job,
};

pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(arguments));
    var first: usize = 0;
    for (a.jobs) |job| {
        const job_end = first + job.units;
        const from = @max(begin, first);
        const to = @min(end, job_end);
        if (from < to) a.function(job.arguments, from - first, to - first);
        first = job_end;
    }
}

const testing = @import("testing.zig");

const Counted = struct {
    cells: []u32,

    fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
        const self: *const Counted = @ptrCast(@alignCast(arguments));
        std.debug.assert(begin < end);
        for (self.cells[begin..end]) |*cell| cell.* += 1;
    }
};

test "joined: every unit of every job once, however the ranges are cut" {
    var source = std.Random.DefaultPrng.init(0x701d);
    const random = source.random();
    for (0..200) |_| {
        var cells: [5][9]u32 = @splat(@splat(0));
        var counted: [5]Counted = undefined;
        var jobs: [5]Job = undefined;
        var units: usize = 0;
        for (&cells, &counted, &jobs) |*own, *arguments, *job| {
            job.* = .{ .arguments = arguments, .units = random.uintAtMost(usize, own.len) };
            arguments.* = .{ .cells = own[0..job.units] };
            units += job.units;
        }
        testing.runCut(random, &run, &Arguments{ .function = &Counted.run, .jobs = &jobs }, units);
        for (cells, jobs) |own, job| {
            for (own, 0..) |cell, unit| try std.testing.expectEqual(@intFromBool(unit < job.units), cell);
        }
    }
}
