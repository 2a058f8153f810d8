//! Several calls behind one crossing: whoever computes the same calls again and again writes them down once. Between two
//! kernels that stream a model through the caches, little is left there of what makes a call from another language cheap.
const std = @import("std");
const attention = @import("attention.zig");
const linear = @import("linear.zig");
const step = @import("step.zig");
const Context = @import("context.zig").Context;
const Status = @import("status.zig").Status;

/// What can be called, by module and name; a Call's `function` is a place here, which bindings.zig prints.
pub const listed = .{
    .{ linear, "sherry_prepare" },
    .{ linear, "sherry_linear_sherry" },
    .{ linear, "sherry_linear_q8" },
    .{ linear, "sherry_linear_q6k" },
    .{ linear, "sherry_linear_int4" },
    .{ linear, "sherry_linear_dense" },
    .{ @import("head.zig"), "sherry_linear_split8" },
    .{ step, "sherry_rms_norm" },
    .{ step, "sherry_rotary" },
    .{ step, "sherry_swiglu" },
    .{ step, "sherry_add" },
    .{ attention, "sherry_key_value_store" },
    .{ attention, "sherry_attention" },
};

pub const values_max = 15;

/// One call, as src/native/call-list.ts writes it.
pub const Call = extern struct {
    function: u32,
    reserved: u32 = 0,
    /// The function's arguments after the context, in their order: integers and addresses as they are, an f32's bits in the
    /// lower half.
    values: [values_max]u64,
};

/// Makes the calls one after another with `context`, up to the first that does not return ok: its status is returned, and its
/// number is in `failed`. The buffers that the calls name must be alive.
pub export fn sherry_run_calls(
    context_pointer: ?*Context,
    calls: ?[*]const Call,
    count: usize,
    failed: ?*usize,
) callconv(.c) i32 {
    const slot = failed orelse return Status.argument_invalid.code();
    const list = (calls orelse return Status.argument_invalid.code())[0..count];
    for (list, 0..) |*call, number| {
        const status = make(context_pointer, call);
        if (status != Status.ok.code()) {
            slot.* = number;
            return status;
        }
    }
    return Status.ok.code();
}

fn make(context: ?*Context, call: *const Call) i32 {
    switch (call.function) {
        inline 0...listed.len - 1 => |code| {
            const function = @field(listed[code][0], listed[code][1]);
            var arguments: std.meta.ArgsTuple(@TypeOf(function)) = undefined;
            comptime std.debug.assert(arguments.len - 1 <= values_max);
            arguments[0] = context;
            inline for (1..arguments.len) |place| {
                arguments[place] = argument(@TypeOf(arguments[place]), call.values[place - 1]) orelse
                    return Status.argument_invalid.code();
            }
            return @call(.auto, function, arguments);
        },
        else => return Status.argument_invalid.code(),
    }
}

/// Null when the bits are none of T's values.
fn argument(comptime T: type, bits: u64) ?T {
    switch (T) {
        u32 => return std.math.cast(u32, bits),
        usize => return bits,
        f32 => return @bitCast(std.math.cast(u32, bits) orelse return null),
        else => {
            // An optional pointer, null for 0.
            const Pointed = @typeInfo(@typeInfo(T).optional.child).pointer.child;
            if (Pointed != anyopaque and bits % @alignOf(Pointed) != 0) return null;
            return @as(T, @ptrFromInt(bits));
        },
    }
}
