//! A fixed set of threads that compute one kernel at a time. The caller's thread works too, so a pool of one has no
//! threads of its own.
//!
//! A job is a range of units. Each thread has a range of its own within it, so that it reads one stretch of the weights
//! and counts on a cache line of its own; it takes half of what is left of it at a time. Whoever has finished takes from
//! the others' ranges in the same way, so that a thread which lost its core for a moment holds up little.
//!
//! Workers wait for the next job by spinning for a while (the gap between two kernels of a step is microseconds) and then
//! park on a futex, so that an idle process costs nothing. No locks, no allocation while running.
//!
//! The caller waits only for workers that have joined the job: one that the system has not scheduled in time finds the
//! job closed, so a busy machine costs that worker's help, not a wait for it.
//!
//! One job at a time: `run` must not be called from two threads at once; `busy` turns such a mistake into an error.
const std = @import("std");
const builtin = @import("builtin");
const kernel = @import("kernels/kernel.zig");

/// Rounds of `spinLoopHint` before a waiting thread parks: some tens of microseconds.
const spin_rounds = 1000;

/// A thread's own part of a job.
const Range = struct {
    /// The next unit nobody has taken.
    next: std.atomic.Value(usize) align(std.atomic.cache_line) = .init(0),
    end: usize = 0,
};

pub const ThreadPool = struct {
    workers: []std.Thread,
    /// One for each thread, the caller's first.
    ranges: []Range,
    /// Bumped for every job and at the end; workers wait on it.
    generation: std.atomic.Value(u32) align(std.atomic.cache_line) = .init(0),
    /// Workers that sleep on `generation`.
    parked: std.atomic.Value(u32) = .init(0),
    stopping: std.atomic.Value(bool) = .init(false),
    /// Apart from what waiting workers look at, since every job writes it twice.
    busy: std.atomic.Value(bool) align(std.atomic.cache_line) = .init(false),
    /// `open_bit` while the present job takes workers, plus the number of workers that have joined it and not finished.
    /// `job` and `ranges` change only while this is zero.
    ticket: std.atomic.Value(u32) align(std.atomic.cache_line) = .init(0),
    /// On the ticket's cache line, which a worker that joins has fetched.
    job: Job = undefined,

    const open_bit: u32 = 1 << 31;

    const Job = struct { run: *const kernel.Run, arguments: *const anyopaque, grain: usize };

    pub const StartError = error{ OutOfMemory, ThreadStartFailed };

    /// `self` must not move afterwards. `thread_count` counts the caller's thread and is at least 1.
    pub fn start(self: *ThreadPool, allocator: std.mem.Allocator, thread_count: usize) StartError!void {
        self.* = .{ .workers = &.{}, .ranges = &.{} };
        const ranges = try allocator.alloc(Range, thread_count);
        errdefer allocator.free(ranges);
        @memset(ranges, .{});
        self.ranges = ranges;
        const workers = try allocator.alloc(std.Thread, thread_count - 1);
        for (workers, 0..) |*worker, index| {
            worker.* = std.Thread.spawn(.{ .stack_size = 1 << 20 }, work, .{ self, index + 1 }) catch {
                self.workers = workers[0..index];
                self.join();
                allocator.free(workers);
                return error.ThreadStartFailed;
            };
        }
        self.workers = workers;
    }

    pub fn stop(self: *ThreadPool, allocator: std.mem.Allocator) void {
        self.join();
        allocator.free(self.workers);
        allocator.free(self.ranges);
    }

    fn join(self: *ThreadPool) void {
        self.stopping.store(true, .seq_cst);
        self.announce();
        for (self.workers) |worker| worker.join();
    }

    pub fn threadCount(self: *const ThreadPool) usize {
        return self.workers.len + 1;
    }

    /// Whether `count` units of equal work leave the threads idle for no more than an eighth of the time.
    pub fn keepsBusy(self: *const ThreadPool, count: usize) bool {
        const threads = self.threadCount();
        const units_each = (count + threads - 1) / threads;
        return units_each * threads * 8 <= count * 9;
    }

    pub const RunError = error{Busy};

    /// Computes units 0..count on all threads and returns when every one is done. Threads take `grain` units at least and,
    /// where the count allows, multiples of them; work of no more than one grain stays on the caller's thread.
    pub fn run(self: *ThreadPool, function: *const kernel.Run, arguments: *const anyopaque, count: usize, grain: usize) RunError!void {
        if (count == 0) return;
        if (self.busy.swap(true, .acquire)) return error.Busy;
        defer self.busy.store(false, .release);
        if (self.workers.len == 0 or count <= grain) {
            function(arguments, 0, count);
            return;
        }
        const grains = (count + grain - 1) / grain;
        for (self.ranges, 0..) |*range, index| {
            range.next.store(grains * index / self.ranges.len * grain, .monotonic);
            range.end = @min(grains * (index + 1) / self.ranges.len * grain, count);
        }
        self.job = .{ .run = function, .arguments = arguments, .grain = grain };
        self.ticket.store(open_bit, .release);
        self.announce();
        self.compute(0);
        _ = self.ticket.fetchAnd(~open_bit, .acq_rel);
        self.awaitJoined();
    }

    fn awaitJoined(self: *ThreadPool) void {
        var rounds: usize = 0;
        while (true) {
            const ticket = self.ticket.load(.acquire);
            if (ticket == 0) return;
            if (rounds < spin_rounds) {
                rounds += 1;
                std.atomic.spinLoopHint();
            } else {
                futexWait(&self.ticket, ticket);
            }
        }
    }

    fn announce(self: *ThreadPool) void {
        _ = self.generation.fetchAdd(1, .seq_cst);
        if (self.parked.load(.seq_cst) != 0) futexWake(&self.generation);
    }

    /// Computes what is left of the job's ranges, those of thread `own` first.
    fn compute(self: *ThreadPool, own: usize) void {
        const job = self.job;
        for (0..self.ranges.len) |step| {
            const range = &self.ranges[(own + step) % self.ranges.len];
            var next = range.next.load(.monotonic);
            while (next < range.end) {
                const half = (range.end - next) / 2;
                const end = @min(next + @max(1, half / job.grain) * job.grain, range.end);
                if (range.next.cmpxchgWeak(next, end, .monotonic, .monotonic)) |found| {
                    next = found;
                    continue;
                }
                job.run(job.arguments, next, end);
                next = range.next.load(.monotonic);
            }
        }
    }

    fn work(self: *ThreadPool, own: usize) void {
        var seen: u32 = 0;
        while (true) {
            seen = self.awaitGeneration(seen);
            if (self.stopping.load(.seq_cst)) return;
            if (!self.joinJob()) continue;
            self.compute(own);
            if (self.ticket.fetchSub(1, .acq_rel) == 1) futexWake(&self.ticket);
        }
    }

    /// Joins the present job unless its caller has closed it already.
    fn joinJob(self: *ThreadPool) bool {
        var ticket = self.ticket.load(.monotonic);
        while (ticket & open_bit != 0) {
            ticket = self.ticket.cmpxchgWeak(ticket, ticket + 1, .acquire, .monotonic) orelse return true;
        }
        return false;
    }

    /// Returns the first generation found that differs from `seen`, sleeping when none comes for a while.
    fn awaitGeneration(self: *ThreadPool, seen: u32) u32 {
        for (0..spin_rounds) |_| {
            const generation = self.generation.load(.acquire);
            if (generation != seen) return generation;
            std.atomic.spinLoopHint();
        }
        _ = self.parked.fetchAdd(1, .seq_cst);
        defer _ = self.parked.fetchSub(1, .seq_cst);
        while (true) {
            const generation = self.generation.load(.seq_cst);
            if (generation != seen) return generation;
            futexWait(&self.generation, seen);
        }
    }
};

/// Sleeps while `value` holds `expected`; may return early.
fn futexWait(value: *const std.atomic.Value(u32), expected: u32) void {
    switch (builtin.os.tag) {
        .linux => _ = std.os.linux.futex_4arg(&value.raw, .{ .cmd = .WAIT, .private = true }, expected, null),
        else => std.Thread.yield() catch {},
    }
}

fn futexWake(value: *const std.atomic.Value(u32)) void {
    switch (builtin.os.tag) {
        .linux => _ = std.os.linux.futex_3arg(&value.raw, .{ .cmd = .WAKE, .private = true }, std.math.maxInt(i32)),
        else => {},
    }
}

const Counted = struct {
    cells: []u32,

    fn run(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
        const self: *const Counted = @ptrCast(@alignCast(raw));
        for (self.cells[begin..end]) |*cell| cell.* += 1;
    }
};

test "every unit is computed exactly once, for any count, grain and number of threads" {
    const allocator = std.testing.allocator;
    for ([_]usize{ 1, 2, 3, 7 }) |thread_count| {
        var pool: ThreadPool = undefined;
        try pool.start(allocator, thread_count);
        defer pool.stop(allocator);
        for ([_]usize{ 0, 1, 2, 63, 64, 65, 1000 }) |count| for ([_]usize{ 1, 3, 64, 5000 }) |grain| {
            const cells = try allocator.alloc(u32, count);
            defer allocator.free(cells);
            @memset(cells, 0);
            const counted = Counted{ .cells = cells };
            for (0..20) |_| try pool.run(&Counted.run, &counted, count, grain);
            for (cells) |cell| try std.testing.expectEqual(20, cell);
        };
    }
}

test "workers that have parked wake for the next job" {
    var pool: ThreadPool = undefined;
    try pool.start(std.testing.allocator, 3);
    defer pool.stop(std.testing.allocator);
    var cells: [100]u32 = @splat(0);
    const counted = Counted{ .cells = &cells };
    for (0..5) |_| {
        while (pool.parked.load(.seq_cst) != 2) try std.Thread.yield();
        try pool.run(&Counted.run, &counted, cells.len, 1);
    }
    for (cells) |cell| try std.testing.expectEqual(5, cell);
}

test "a second caller gets an error, not a race" {
    var pool: ThreadPool = undefined;
    try pool.start(std.testing.allocator, 1);
    defer pool.stop(std.testing.allocator);
    pool.busy.store(true, .seq_cst);
    var cells: [1]u32 = @splat(0);
    try std.testing.expectError(error.Busy, pool.run(&Counted.run, &Counted{ .cells = &cells }, 1, 1));
    pool.busy.store(false, .seq_cst);
}

test "equal units keep the threads busy when the last round of them is nearly full" {
    for ([_]struct { usize, []const usize, []const usize }{
        .{ 1, &.{ 1, 2, 7 }, &.{} },
        .{ 2, &.{ 2, 4, 8, 9 }, &.{ 1, 3, 5, 7 } },
        .{ 3, &.{ 3, 8, 9 }, &.{ 1, 2, 4, 7, 10 } },
    }) |case| {
        const thread_count, const full, const idle = case;
        var pool: ThreadPool = undefined;
        try pool.start(std.testing.allocator, thread_count);
        defer pool.stop(std.testing.allocator);
        for (full) |count| try std.testing.expect(pool.keepsBusy(count));
        for (idle) |count| try std.testing.expect(!pool.keepsBusy(count));
    }
}
