//! The k likeliest of scored rows, kept while they come: a heap with the least likely on top. Rows are ordered by logit,
//! likeliest first, equal logits by id, as the sampler orders tokens (src/sampling/candidates.ts).
const std = @import("std");

pub const Row = extern struct {
    logit: f32,
    id: u32,

    pub fn isLikelier(self: Row, other: Row) bool {
        return self.logit > other.logit or (self.logit == other.logit and self.id < other.id);
    }
};

pub const TopRows = struct {
    /// As many as are to be kept, at least one.
    heap: []Row,
    count: usize = 0,

    pub fn add(self: *TopRows, row: Row) void {
        if (self.count < self.heap.len) {
            self.heap[self.count] = row;
            self.count += 1;
            // Only a full heap has to be in order.
            if (self.count == self.heap.len) self.order();
        } else if (row.isLikelier(self.heap[0])) {
            self.heap[0] = row;
            self.siftDown(0, self.count);
        }
    }

    /// The least likely row that is kept. The heap must be full.
    pub fn last(self: TopRows) Row {
        std.debug.assert(self.count == self.heap.len);
        return self.heap[0];
    }

    /// Sorts the rows likeliest first and returns them; nothing can be added afterwards. The heap must be full.
    pub fn sort(self: *TopRows) []const Row {
        std.debug.assert(self.count == self.heap.len);
        var end = self.count;
        while (end > 1) {
            end -= 1;
            std.mem.swap(Row, &self.heap[0], &self.heap[end]);
            self.siftDown(0, end);
        }
        return self.heap;
    }

    fn order(self: *TopRows) void {
        var place = self.count / 2;
        while (place > 0) {
            place -= 1;
            self.siftDown(place, self.count);
        }
    }

    fn siftDown(self: *TopRows, start: usize, end: usize) void {
        const row = self.heap[start];
        var place = start;
        while (true) {
            var child = 2 * place + 1;
            if (child >= end) break;
            if (child + 1 < end and self.heap[child].isLikelier(self.heap[child + 1])) child += 1;
            if (!row.isLikelier(self.heap[child])) break;
            self.heap[place] = self.heap[child];
            place = child;
        }
        self.heap[place] = row;
    }
};

fn isLikelier(_: void, a: Row, b: Row) bool {
    return a.isLikelier(b);
}

test "the k likeliest of any rows, ties by id, in any order of arrival" {
    var source = std.Random.DefaultPrng.init(0x70b);
    const random = source.random();
    var rows: [200]Row = undefined;
    for ([_]usize{ 1, 2, 3, 7, 64, 200 }) |count| for (0..20) |round| {
        const distinct: u32 = if (round % 2 == 0) 1_000_000 else 5;
        for (&rows, 0..) |*row, id| {
            const logit: f32 = @floatFromInt(random.uintLessThan(u32, distinct));
            row.* = .{ .logit = logit - 2, .id = @intCast(id) };
        }
        random.shuffle(Row, &rows);
        var heap: [200]Row = undefined;
        var top = TopRows{ .heap = heap[0..count] };
        for (rows) |row| top.add(row);
        std.mem.sortUnstable(Row, &rows, {}, isLikelier);
        try std.testing.expectEqual(rows[count - 1], top.last());
        try std.testing.expectEqualSlices(Row, rows[0..count], top.sort());
    };
}
