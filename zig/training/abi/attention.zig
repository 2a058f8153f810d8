//! Causal grouped-query attention (attention.zig). Legend: B sequences of T tokens, H query heads, G key-value heads, D
//! head_dim.
const TrainingContext = @import("../context.zig").TrainingContext;
const Status = @import("../../c_abi/status.zig").Status;
const arguments = @import("arguments.zig");
const attention = @import("../attention.zig");
const scalar = @import("../level_scalar.zig").table;
const Table = @import("../table.zig").Table;

const Arguments = attention.Arguments(f32);

/// o [B, T, H, D] and log_sum_exp [B, H, T] of q [B, T, H, D], k and v [B, T, G, D].
pub export fn sherry_train_attention_forward(
    pointer: ?*TrainingContext,
    q: ?[*]const f32,
    k: ?[*]const f32,
    v: ?[*]const f32,
    sequences: usize,
    tokens: usize,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    o: ?[*]f32,
    log_sum_exp: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ q, k, v, o, log_sum_exp })) return Status.argument_invalid.code();
    const values = Arguments{
        .q = q.?,
        .k = k.?,
        .v = v.?,
        .o = o.?,
        .log_sum_exp = log_sum_exp.?,
        .sequences = sequences,
        .tokens = tokens,
        .heads = heads,
        .key_value_heads = key_value_heads,
        .head_dim = head_dim,
    };
    if (!isValid(&values)) return Status.argument_invalid.code();
    return context.runUnits(tableOf(context, head_dim).attention_forward, &values, sequences * heads * values.blocks(), unitWork(&values)).code();
}

/// dq, dk and dv, replaced, from d_o [B, T, H, D] and what the forward wrote.
pub export fn sherry_train_attention_backward(
    pointer: ?*TrainingContext,
    q: ?[*]const f32,
    k: ?[*]const f32,
    v: ?[*]const f32,
    o: ?[*]f32,
    log_sum_exp: ?[*]f32,
    d_o: ?[*]const f32,
    sequences: usize,
    tokens: usize,
    heads: usize,
    key_value_heads: usize,
    head_dim: usize,
    dq: ?[*]f32,
    dk: ?[*]f32,
    dv: ?[*]f32,
) callconv(.c) i32 {
    const context = TrainingContext.from(pointer) orelse return Status.argument_invalid.code();
    if (!arguments.arePointers(.{ q, k, v, o, log_sum_exp, d_o, dq, dk, dv })) return Status.argument_invalid.code();
    var values = Arguments{
        .q = q.?,
        .k = k.?,
        .v = v.?,
        .o = o.?,
        .log_sum_exp = log_sum_exp.?,
        .sequences = sequences,
        .tokens = tokens,
        .heads = heads,
        .key_value_heads = key_value_heads,
        .head_dim = head_dim,
        .d_o = d_o.?,
        .dq = dq.?,
        .dk = dk.?,
        .dv = dv.?,
    };
    if (!isValid(&values)) return Status.argument_invalid.code();
    const table = tableOf(context, head_dim);
    const groups = sequences * key_value_heads;
    const query_function = table.attention_backward_query orelse
        return context.run(table.attention_backward, &values, groups, 1).code();
    const rows = sequences * heads * tokens;
    const scratch = context.scratchOf(rows * @sizeOf(f32)) orelse return Status.out_of_memory.code();
    values.deltas = @ptrCast(scratch.ptr);
    const blocks = values.blocks();
    const steps = .{
        .{ table.attention_delta.?, rows, head_dim },
        .{ query_function, sequences * heads * blocks, unitWork(&values) },
        .{ table.attention_backward, groups * blocks, unitWork(&values) },
    };
    inline for (steps) |step| {
        const status = context.runUnits(step[0], &values, step[1], step[2]);
        if (status != .ok) return status.code();
    }
    return Status.ok.code();
}

/// The context's own level, or the scalar one for a head that fills no whole vectors.
fn tableOf(context: *const TrainingContext, head_dim: usize) *const Table {
    return if (head_dim % attention.head_dim_step == 0) context.table else &scalar;
}

fn isValid(a: *const Arguments) bool {
    // One more block of tokens than there are, so that no count of blocks overflows either.
    return a.tokens != 0 and arguments.areSizes(&.{ a.sequences, a.tokens +| attention.block_tokens, a.heads, a.head_dim }) and
        a.head_dim <= attention.head_dim_max and a.key_value_heads != 0 and a.heads % a.key_value_heads == 0;
}

fn unitWork(a: *const Arguments) usize {
    return attention.block_tokens *| a.tokens *| a.head_dim;
}
