//! Embedding: row ids[n] of a table [V, C] for each token; backward adds each token's gradient to its row, tokens in their
//! order. Every id is below V: the C ABI checks that first.
//!
//! Units of work: tokens for `forward`; `unit_columns` columns of the table, for all tokens, for `backward`.

/// Columns that one unit of `backward` owns: a cache line, so that threads share none.
pub const unit_columns = 16;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        ids: [*]const u32,
        tokens: usize,
        width: usize,
        /// [V, C] and [N, C], of `forward`.
        table: [*]const Float = undefined,
        x: [*]Float = undefined,
        /// [V, C] and [N, C], of `backward`.
        dtable: [*]Float = undefined,
        dx: [*]const Float = undefined,
    };
}

const std = @import("std");
const testing = @import("testing.zig");

test "the gradient of the embedding's table: tokens that share a row add up" {
    const Scalar = @import("embedding/scalar.zig").Scalar(f64);
    const width = 37;
    const ids = [_]u32{ 2, 0, 2, 4, 2 };
    var source = std.Random.DefaultPrng.init(0xe3b);
    const random = source.random();
    const table = try testing.normals(f64, random, 5 * width);
    defer testing.allocator.free(table);
    const x = try testing.zeros(f64, ids.len * width);
    defer testing.allocator.free(x);
    const dx = try testing.normals(f64, random, ids.len * width);
    defer testing.allocator.free(dx);
    const dtable = try testing.zeros(f64, 5 * width);
    defer testing.allocator.free(dtable);
    const values = Arguments(f64){
        .ids = &ids,
        .tokens = ids.len,
        .width = width,
        .table = table.ptr,
        .x = x.ptr,
        .dtable = dtable.ptr,
        .dx = dx.ptr,
    };
    const Layer = struct {
        values: *const Arguments(f64),
        x: []const f64,
        dx: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.forward, self.values, ids.len);
            return testing.dot(self.dx, self.x);
        }
    };
    const layer = Layer{ .values = &values, .x = x, .dx = dx };
    testing.run(&Scalar.backward, &values, (width + unit_columns - 1) / unit_columns);
    try testing.expectGradient(table, dtable, &layer, Layer.loss);
}
