//! The AVX2 kernels with safety checks on, outputs between guards, against the scalar ones: products of all three forms,
//! rows of odd widths, ranges that end within a vector. test/native/training-levels.test.ts compares the built libraries.
const std = @import("std");
const kernel = @import("../kernels/kernel.zig");
const guarded = @import("../kernels/testing.zig");
const testing = @import("testing.zig");
const product = @import("product.zig");

/// Two copies of the same numbers, one for each level.
const Pair = struct {
    scalar: []f32,
    vector: guarded.Guarded(f32),

    fn init(random: std.Random, count: usize) !Pair {
        const pair = Pair{ .scalar = try testing.normals(f32, random, count), .vector = try guarded.Guarded(f32).init(count) };
        @memcpy(pair.vector.items, pair.scalar);
        return pair;
    }

    fn deinit(self: Pair) void {
        testing.allocator.free(self.scalar);
        self.vector.deinit();
    }

    fn expectNear(self: Pair, tolerance: f32) !void {
        try testing.expectNear(self.scalar, self.vector.items, tolerance);
        try self.vector.expectGuards();
    }
};

test "products of every form, all edges of strips and blocks" {
    if (!guarded.has_avx2) return error.SkipZigTest;
    const Scalar = @import("product/scalar.zig").Scalar(f32);
    var source = std.Random.DefaultPrng.init(0xd1f);
    const random = source.random();
    for ([_][3]usize{ .{ 1, 1, 1 }, .{ 6, 16, 16 }, .{ 7, 17, 33 }, .{ 13, 31, 257 }, .{ 103, 48, 300 }, .{ 5, 15, 515 } }) |sizes| {
        const rows, const columns, const depth = sizes;
        // A along its rows or its depth, B likewise.
        for ([_][2]bool{ .{ false, false }, .{ false, true }, .{ true, true } }) |transposed| for ([_]u32{ 0, 1 }) |accumulate| {
            const a = try Pair.init(random, rows * depth);
            defer a.deinit();
            const b = try Pair.init(random, columns * depth);
            defer b.deinit();
            const c = try Pair.init(random, rows * columns);
            defer c.deinit();
            const packed_b = try guarded.Guarded(f32).init(product.packedCount(columns, depth));
            defer packed_b.deinit();
            var arguments = product.Arguments(f32){
                .a = a.scalar.ptr,
                .b = b.scalar.ptr,
                .c = c.scalar.ptr,
                .rows = rows,
                .columns = columns,
                .depth = depth,
                .a_row = if (transposed[0]) 1 else depth,
                .a_depth = if (transposed[0]) rows else 1,
                .b_depth = if (transposed[1]) columns else 1,
                .b_column = if (transposed[1]) 1 else depth,
                .scale = 0.5,
                .accumulate = accumulate,
            };
            testing.run(&Scalar.run, &arguments, rows);
            arguments.a = a.vector.items.ptr;
            arguments.b = b.vector.items.ptr;
            arguments.c = c.vector.items.ptr;
            arguments.packed_b = packed_b.items.ptr;
            runProduct(&arguments);
            // Both orders round each of up to 515 additions by 6e-8 of a running sum of about its square root.
            try c.expectNear(1e-4);
            try a.vector.expectGuards();
            try packed_b.expectGuards();
        };
    }
}

fn runProduct(arguments: *product.Arguments(f32)) void {
    const avx2 = @import("product/avx2.zig");
    while (arguments.depth_begin < arguments.depth) : (arguments.depth_begin += arguments.depth_count) {
        arguments.depth_count = @min(product.depth_block, arguments.depth - arguments.depth_begin);
        testing.run(&avx2.pack, arguments, (arguments.columns + product.strip_columns - 1) / product.strip_columns);
        testing.run(&avx2.run, arguments, (arguments.rows + product.strip_rows - 1) / product.strip_rows);
    }
}

test "RMS norm, SwiGLU, losses and AdamW at odd widths" {
    if (!guarded.has_avx2) return error.SkipZigTest;
    var source = std.Random.DefaultPrng.init(0xd20);
    const random = source.random();
    for ([_]usize{ 1, 7, 8, 31, 45, 64, 70 }) |width| {
        const tokens = 3;
        var pairs: [6]Pair = undefined;
        for (&pairs) |*pair| pair.* = try Pair.init(random, tokens * width);
        defer for (pairs) |pair| pair.deinit();
        for ([_]bool{ false, true }) |is_vector| {
            var x: [6][*]f32 = undefined;
            for (pairs, &x) |pair, *pointer| pointer.* = if (is_vector) pair.vector.items.ptr else pair.scalar.ptr;
            runRows(is_vector, x, tokens, width);
        }
        // Some roundings of numbers of up to about 10.
        for (pairs) |pair| try pair.expectNear(2e-5);
    }
}

/// Runs one kernel after the other; each leaves its results among the six arrays [tokens, width].
fn runRows(is_vector: bool, x: [6][*]f32, tokens: usize, width: usize) void {
    const rms_norm = @import("rms_norm.zig");
    const swiglu = @import("swiglu.zig");
    const cross_entropy = @import("cross_entropy.zig");
    const distillation = @import("distillation.zig");
    const adamw = @import("adamw.zig");
    const count = tokens * width;
    const norm = rms_norm.Arguments(f32){
        .x = x[0],
        .gain = x[1],
        .inverse_rms = x[2],
        .tokens = tokens,
        .width = width,
        .epsilon = 0.1,
        .y = x[3],
        .dy = x[4],
        .dx = x[3],
        .dgain = x[5],
    };
    const gains = (width + rms_norm.gain_columns - 1) / rms_norm.gain_columns;
    run(is_vector, @import("rms_norm/scalar.zig").Scalar(f32).forward, @import("rms_norm/avx2.zig").forward, &norm, tokens);
    run(is_vector, @import("rms_norm/scalar.zig").Scalar(f32).backwardInput, @import("rms_norm/avx2.zig").backwardInput, &norm, tokens);
    run(is_vector, @import("rms_norm/scalar.zig").Scalar(f32).backwardGain, @import("rms_norm/avx2.zig").backwardGain, &norm, gains);
    const gate = swiglu.Arguments(f32){ .gate = x[0], .up = x[1], .h = x[2], .dh = x[4], .dgate = x[3], .dup = x[5] };
    run(is_vector, @import("swiglu/scalar.zig").Scalar(f32).forward, @import("swiglu/avx2.zig").forward, &gate, count);
    run(is_vector, @import("swiglu/scalar.zig").Scalar(f32).backward, @import("swiglu/avx2.zig").backward, &gate, count);
    const targets = [_]u32{ 0, cross_entropy.ignored, @intCast(width - 1) };
    const loss = cross_entropy.Arguments(f32){
        .logits = x[0],
        .targets = &targets,
        .vocabulary = width,
        .scale = 0.5,
        .losses = x[2],
        .dlogits = x[3],
    };
    run(is_vector, @import("cross_entropy/scalar.zig").Scalar(f32).run, @import("cross_entropy/avx2.zig").run, &loss, tokens);
    const teacher = distillation.Arguments(f32){
        .logits = x[0],
        .teacher_logits = x[4],
        .vocabulary = width,
        .weight = 0.5,
        .temperature = 2,
        .losses = x[2],
        .dlogits = x[3],
    };
    run(is_vector, @import("distillation/scalar.zig").Scalar(f32).run, @import("distillation/avx2.zig").run, &teacher, tokens);
    for (x[2][0..count]) |*value| value.* = @abs(value.*);
    const step = adamw.Arguments(f32){
        .w = x[5],
        .gradient = x[0],
        .m = x[1],
        .v = x[2],
        .learning_rate = 0.1,
        .beta1 = 0.9,
        .beta2 = 0.95,
        .epsilon = 1e-3,
        .weight_decay = 0.1,
        .gradient_scale = 0.5,
        .correction1 = 1.5,
        .correction2 = 1.25,
    };
    run(is_vector, @import("adamw/scalar.zig").Scalar(f32).run, @import("adamw/avx2.zig").run, &step, count);
}

fn run(is_vector: bool, comptime scalar: kernel.Run, comptime vector: kernel.Run, arguments: *const anyopaque, units: usize) void {
    testing.run(if (is_vector) &vector else &scalar, arguments, units);
}
