//! Joining the spans of a query head in their order (the schedule of attention.zig), and the last division. Vectors
//! that compile for any CPU: it is little work beside a span's positions.
const attention = @import("../attention.zig");
const lanes = @import("../lanes.zig");

/// What a query head has seen of some positions: `out` and `sum` are sums of powers relative to `maximum`.
pub const Seen = struct {
    /// f32 [D]
    out: []f32,
    maximum: *f32,
    sum: *f32,
};

/// Adds `span`, which follows the positions of `total`.
pub inline fn merge(total: Seen, span: Seen) void {
    const maximum = lanes.larger(span.maximum.*, total.maximum.*);
    const total_scale = lanes.exponential(total.maximum.* - maximum);
    const span_scale = lanes.exponential(span.maximum.* - maximum);
    total.maximum.* = maximum;
    total.sum.* = total.sum.* * total_scale + span.sum.* * span_scale;
    const whole = total.out.len - total.out.len % lanes.count;
    var j: usize = 0;
    while (j < whole) : (j += lanes.count) {
        const before: lanes.Lanes = total.out[j..][0..lanes.count].*;
        const added: lanes.Lanes = span.out[j..][0..lanes.count].*;
        const added_scaled = added * @as(lanes.Lanes, @splat(span_scale));
        total.out[j..][0..lanes.count].* = before * @as(lanes.Lanes, @splat(total_scale)) + added_scaled;
    }
    for (total.out[whole..], span.out[whole..]) |*value, added| {
        value.* = value.* * total_scale + added * span_scale;
    }
}

/// The outputs f32 [D] of a query head that has seen all its positions.
pub inline fn divide(total: Seen, out: []f32) void {
    const whole = out.len - out.len % lanes.count;
    const sum: lanes.Lanes = @splat(total.sum.*);
    var j: usize = 0;
    while (j < whole) : (j += lanes.count) {
        const value: lanes.Lanes = total.out[j..][0..lanes.count].*;
        out[j..][0..lanes.count].* = value / sum;
    }
    for (out[whole..], total.out[whole..out.len]) |*value, weighted| value.* = weighted / total.sum.*;
}

/// Query head `row` (counted through all tokens) in slot `index` of the partials.
pub inline fn partial(a: *const attention.Arguments, index: usize, row: usize) Seen {
    const stride = a.head_dim + attention.partial_extra;
    const start = a.partials.? + (index * a.tokens * a.heads + row) * stride;
    return .{ .out = start[0..a.head_dim], .maximum = &start[a.head_dim], .sum = &start[a.head_dim + 1] };
}

/// Merges the spans that units of single spans left in the partials; a unit is one query head of one token. Slot 0
/// becomes the total of all spans so far, and the output of a token that has no more of them is written.
pub fn run(arguments: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const attention.Arguments = @ptrCast(@alignCast(arguments));
    const end_span = a.first_span + a.spans;
    for (begin..end) |row| {
        const spans = attention.spansOf(a.start + row / a.heads + 1);
        if (spans <= a.first_span) continue;
        const total = partial(a, 0, row);
        for (@max(a.first_span, 1)..@min(spans, end_span)) |span| merge(total, partial(a, a.slotOf(span), row));
        if (spans <= end_span) divide(total, a.out[row * a.head_dim ..][0..a.head_dim]);
    }
}
