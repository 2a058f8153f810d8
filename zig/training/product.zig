//! Matrix products of a linear layer Y = X W^T (X [N, K] tokens, W [R, K]), all three through one form
//! C [M, columns] = scale * A B (+ C), A and B read through strides:
//!
//! | product | C | A | B | depth |
//! | --- | --- | --- | --- | --- |
//! | forward | Y [N, R] | X | W^T | K |
//! | gradient of the input | dX [N, K] | dY | W | R |
//! | gradient of the weight | dW [R, K] | dY^T | X | N |
//!
//! Every element of C is one sum over the depth in its order, so its bits depend on the shape alone: scalar.zig multiplies
//! and adds; avx2.zig fuses them and starts a new sum, added to C, every `depth_block` of the depth.
//! Between the levels: |difference| <= 2 eps (depth + 4) sum |a b|, the bound of both orders' roundings.
//!
//! Unit of work: rows of C for scalar.zig; strips of `strip_rows` rows for avx2.zig, strips of B's columns for its packing.
const std = @import("std");

/// Rows of C that the vector kernel computes together, and columns.
pub const strip_rows = 6;
pub const strip_columns = 16;
/// Depth between two visits of C: a packed strip of B (16 KiB) stays in the first-level cache.
pub const depth_block = 256;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        a: [*]const Float,
        b: [*]const Float,
        c: [*]Float,
        rows: usize,
        columns: usize,
        depth: usize,
        /// Distance of A's rows, of its steps in depth; of B's steps in depth, of its columns. In elements.
        a_row: usize,
        a_depth: usize,
        b_depth: usize,
        b_column: usize,
        scale: Float,
        /// 1: add to C; 0: replace it.
        accumulate: u32,
        /// The part of the depth that a call of avx2.zig packs or computes.
        depth_begin: usize = 0,
        depth_count: usize = 0,
        /// B's part of the depth, [strips of columns][depth_count][strip_columns], padded with zeros.
        packed_b: [*]align(64) Float = undefined,
    };
}

/// Elements of a packed part of B.
pub fn packedCount(columns: usize, depth: usize) usize {
    return std.mem.alignForward(usize, columns, strip_columns) * @min(depth, depth_block);
}

const testing = @import("testing.zig");

test "the three products give the gradients of a linear layer" {
    const Scalar = @import("product/scalar.zig").Scalar(f64);
    const tokens = 5;
    const rows = 7;
    const columns = 36;
    var source = std.Random.DefaultPrng.init(0x9e0d);
    const random = source.random();
    const x = try testing.normals(f64, random, tokens * columns);
    defer testing.allocator.free(x);
    const w = try testing.normals(f64, random, rows * columns);
    defer testing.allocator.free(w);
    const dy = try testing.normals(f64, random, tokens * rows);
    defer testing.allocator.free(dy);
    const y = try testing.zeros(f64, tokens * rows);
    defer testing.allocator.free(y);
    const dx = try testing.zeros(f64, tokens * columns);
    defer testing.allocator.free(dx);
    const dw = try testing.zeros(f64, rows * columns);
    defer testing.allocator.free(dw);
    const Layer = struct {
        forward: Arguments(f64),
        y: []const f64,
        dy: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.run, &self.forward, self.forward.rows);
            return testing.dot(self.dy, self.y);
        }
    };
    const layer = Layer{ .y = y, .dy = dy, .forward = .{
        .a = x.ptr,
        .b = w.ptr,
        .c = y.ptr,
        .rows = tokens,
        .columns = rows,
        .depth = columns,
        .a_row = columns,
        .a_depth = 1,
        .b_depth = 1,
        .b_column = columns,
        .scale = 1,
        .accumulate = 0,
    } };
    testing.run(&Scalar.run, &Arguments(f64){
        .a = dy.ptr,
        .b = w.ptr,
        .c = dx.ptr,
        .rows = tokens,
        .columns = columns,
        .depth = rows,
        .a_row = rows,
        .a_depth = 1,
        .b_depth = columns,
        .b_column = 1,
        .scale = 1,
        .accumulate = 0,
    }, tokens);
    testing.run(&Scalar.run, &Arguments(f64){
        .a = dy.ptr,
        .b = x.ptr,
        .c = dw.ptr,
        .rows = rows,
        .columns = columns,
        .depth = tokens,
        .a_row = 1,
        .a_depth = rows,
        .b_depth = columns,
        .b_column = 1,
        .scale = 1,
        .accumulate = 1,
    }, rows);
    try testing.expectGradient(x, dx, &layer, Layer.loss);
    try testing.expectGradient(w, dw, &layer, Layer.loss);
}
