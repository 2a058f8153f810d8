//! The key-value caches of the sequences of a pass: writing their new positions, and attention over them. The tokens of
//! all sequences follow each other in q, keys, values and out, so that the matrix products take them as one batch; each
//! sequence has a cache and positions of its own.
//!
//! Legend: B tokens of all sequences, H query heads, G key-value heads, D head_dim, T a cache's capacity in positions.
const std = @import("std");
const kernel = @import("../kernels/kernel.zig");
const cells = @import("../kernels/cache_cells.zig");
const joined = @import("../kernels/joined.zig");
const key_value_store = @import("../kernels/key_value_store.zig");
const attention = @import("../kernels/attention.zig");
const attention_merge = @import("../kernels/attention/merge.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;
const checks = @import("checks.zig");

/// Sequences of one call at most: what it keeps of each lies on its stack.
pub const sequences_max = 64;
/// Multiply-adds of scores that one thread takes at least, as many again of values beside them.
const work_min = 32_768;
/// What one sequence's spans may take of the context's scratch: a longer context takes several rounds.
const scratch_bytes_max = 1 << 19;
/// Query heads that one thread merges at least.
const merge_grain = 8;
/// Key-value heads of a token that one thread stores at least.
const store_grain = 16;

/// One sequence, as src/native/sequences.ts writes it: its next `tokens` positions begin at `start`.
pub const Sequence = extern struct {
    /// cache_cells.Layout of G, T and D, aligned to 64.
    key_cache: ?*anyopaque,
    value_cache: ?*anyopaque,
    /// Of each cache.
    cache_bytes: usize,
    /// T.
    capacity: usize,
    start: usize,
    tokens: usize,
};

/// The sequences of a call with what they have in common; null when a size, an element or a cache is not as it must be.
const Pass = struct {
    sequences: []const Sequence,
    cell: cells.Cell,
    tokens: usize,

    fn init(key_value_heads: usize, head_dim: usize, element: u32, sequences: ?[*]const Sequence, count: usize) ?Pass {
        if (count == 0 or count > sequences_max) return null;
        const cell = cells.Cell.fromCode(element) orelse return null;
        const list = (sequences orelse return null)[0..count];
        var tokens: usize = 0;
        for (list) |sequence| {
            const capacity = sequence.capacity;
            if (sequence.tokens == 0 or sequence.tokens > capacity) return null;
            if (sequence.start > capacity - sequence.tokens) return null;
            const layout = cells.Layout.init(cell, key_value_heads, capacity, head_dim) orelse return null;
            if (sequence.cache_bytes < layout.bytes) return null;
            _ = checks.aligned(u8, sequence.key_cache) orelse return null;
            _ = checks.aligned(u8, sequence.value_cache) orelse return null;
            tokens = std.math.add(usize, tokens, sequence.tokens) catch return null;
        }
        return .{ .sequences = list, .cell = cell, .tokens = tokens };
    }
};

/// Keys and values f32 [B][G][D] into the sequences' caches (element 0 f32, 1 f16, 3 q8) at their next positions.
pub export fn sherry_key_value_store(
    context_pointer: ?*Context,
    keys: ?[*]const f32,
    values: ?[*]const f32,
    key_value_heads: usize,
    head_dim: usize,
    element: u32,
    sequences: ?[*]const Sequence,
    count: usize,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    const pass = Pass.init(key_value_heads, head_dim, element, sequences, count) orelse
        return Status.argument_invalid.code();
    _ = checks.product(&.{ pass.tokens, key_value_heads, head_dim, 4 }) orelse return Status.argument_invalid.code();
    var new_keys = keys orelse return Status.argument_invalid.code();
    var new_values = values orelse return Status.argument_invalid.code();
    var arguments: [sequences_max]key_value_store.Arguments = undefined;
    var jobs: [sequences_max]joined.Job = undefined;
    for (pass.sequences, arguments[0..count], jobs[0..count]) |sequence, *own, *job| {
        own.* = .{
            .keys = new_keys,
            .values = new_values,
            .heads = key_value_heads,
            .head_dim = head_dim,
            .start = sequence.start,
            .capacity = sequence.capacity,
            .cell = pass.cell,
            .key_cache = checks.aligned(u8, sequence.key_cache).?,
            .value_cache = checks.aligned(u8, sequence.value_cache).?,
        };
        job.* = .{ .arguments = own, .units = sequence.tokens * key_value_heads };
        new_keys += job.units * head_dim;
        new_values += job.units * head_dim;
    }
    return runJobs(context, context.kernels.key_value_store, jobs[0..count], store_grain).code();
}

/// Causal attention of q f32 [B][H][D] over the sequences' caches, which hold all positions up to the new ones; out f32
/// [B][H][D]. out_of_memory when the context's scratch cannot grow.
pub export fn sherry_attention(
    context_pointer: ?*Context,
    q: ?[*]const f32,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    element: u32,
    sequences: ?[*]const Sequence,
    count: usize,
    out: ?[*]f32,
) callconv(.c) i32 {
    const context = Context.from(context_pointer) orelse return Status.argument_invalid.code();
    if (key_value_heads == 0 or heads % key_value_heads != 0) return Status.argument_invalid.code();
    if (head_dim > attention.head_dim_max) return Status.argument_invalid.code();
    const pass = Pass.init(key_value_heads, head_dim, element, sequences, count) orelse
        return Status.argument_invalid.code();
    _ = checks.product(&.{ pass.tokens, heads, head_dim, 4 }) orelse return Status.argument_invalid.code();
    var queries = q orelse return Status.argument_invalid.code();
    var outputs = out orelse return Status.argument_invalid.code();
    var arguments: [sequences_max]attention.Arguments = undefined;
    for (pass.sequences, arguments[0..count]) |sequence, *own| {
        own.* = .{
            .q = queries,
            .tokens = sequence.tokens,
            .heads = heads,
            .key_value_heads = key_value_heads,
            .head_dim = head_dim,
            .start = sequence.start,
            .capacity = sequence.capacity,
            .cell = pass.cell,
            .key_cache = checks.aligned(u8, sequence.key_cache).?,
            .value_cache = checks.aligned(u8, sequence.value_cache).?,
            .scale = @floatCast(1.0 / @sqrt(@as(f64, @floatFromInt(head_dim)))),
            .out = outputs,
        };
        queries += sequence.tokens * heads * head_dim;
        outputs += sequence.tokens * heads * head_dim;
    }
    const status = if (count == 1) attendAlone(context, arguments[0]) else attendTogether(context, arguments[0..count]);
    return status.code();
}

/// One sequence on all threads; where it has too few units for them, span by span.
fn attendAlone(context: *Context, whole: attention.Arguments) Status {
    const units = whole.units();
    const spans = attention.spansOf(whole.start + whole.tokens);
    const slots = @min(spans, scratch_bytes_max / 4 / whole.slotFloats());
    if (slots < 2 or context.pool.keepsBusy(units)) {
        return context.run(context.kernels.attention, &whole, units, grainOf(units, workOf(&whole)));
    }
    var arguments = whole;
    const scratch = context.scratchOf(slots * whole.slotFloats() * 4) orelse return .out_of_memory;
    arguments.partials = @ptrCast(scratch);
    while (arguments.nextRound(slots)) {
        var status = context.run(context.kernels.attention, &arguments, units * arguments.spans, 1);
        if (status != .ok) return status;
        status = context.run(&attention_merge.run, &arguments, whole.tokens * whole.heads, merge_grain);
        if (status != .ok) return status;
    }
    return .ok;
}

/// Several sequences as one job. Contexts may be of very different lengths, so that every one of several spans whose
/// partials fit is cut into them: the units are then about equal work, however it is spread.
fn attendTogether(context: *Context, sequences: []attention.Arguments) Status {
    var slots: [sequences_max]usize = undefined;
    var scratch_bytes: usize = 0;
    for (sequences, slots[0..sequences.len]) |*own, *count| {
        const spans = attention.spansOf(own.start + own.tokens);
        const is_cut = spans >= 2 and spans <= scratch_bytes_max / 4 / own.slotFloats();
        count.* = if (is_cut) spans else 0;
        scratch_bytes += std.mem.alignForward(usize, count.* * own.slotFloats() * 4, 64);
    }
    var scratch: [*]align(64) u8 = undefined;
    if (scratch_bytes > 0) scratch = context.scratchOf(scratch_bytes) orelse return .out_of_memory;

    var jobs: [sequences_max]joined.Job = undefined;
    var merges: [sequences_max]joined.Job = undefined;
    var merge_count: usize = 0;
    var work: usize = 0;
    var units: usize = 0;
    for (sequences, slots[0..sequences.len], jobs[0..sequences.len]) |*own, spans, *job| {
        work +|= workOf(own);
        job.* = .{ .arguments = own, .units = own.units() };
        if (spans > 0) {
            own.partials = @ptrCast(scratch);
            scratch = @alignCast(scratch + std.mem.alignForward(usize, spans * own.slotFloats() * 4, 64));
            // One round: there is a slot for every span.
            _ = own.nextRound(spans);
            job.units *= spans;
            merges[merge_count] = .{ .arguments = own, .units = own.tokens * own.heads };
            merge_count += 1;
        }
        units += job.units;
    }
    const status = runJobs(context, context.kernels.attention, jobs[0..sequences.len], grainOf(units, work));
    if (status != .ok or merge_count == 0) return status;
    return runJobs(context, &attention_merge.run, merges[0..merge_count], merge_grain);
}

fn runJobs(context: *Context, function: *const kernel.Run, jobs: []const joined.Job, grain: usize) Status {
    if (jobs.len == 1) return context.run(function, jobs[0].arguments, jobs[0].units, grain);
    var units: usize = 0;
    for (jobs) |job| units += job.units;
    return context.run(&joined.run, &joined.Arguments{ .function = function, .jobs = jobs }, units, grain);
}

/// Multiply-adds of a sequence's scores, about.
fn workOf(a: *const attention.Arguments) usize {
    return (a.start + a.tokens) *| a.tokens *| a.heads *| a.head_dim;
}

/// Units that one thread takes at least: over a short context they are not worth waking a thread.
fn grainOf(units: usize, work: usize) usize {
    return @max(1, work_min / @max(1, work / units));
}
