//! The training library's functions at the AVX2 level, fused multiply-add included: the root of an object of its own, as
//! level_avx2.zig is of the product.
const Table = @import("training/table.zig").Table;
const scalar = @import("training/level_scalar.zig").table;
const attention = @import("training/attention/avx2.zig");
const product = @import("training/product/avx2.zig");

const table: Table = level: {
    var level = scalar;
    level.product_pack = &product.pack;
    level.product = &product.run;
    level.attention_forward = &attention.forward;
    level.attention_backward_query = &attention.backwardQuery;
    level.attention_backward_key_value = &attention.backwardKeyValue;
    break :level level;
};

// Visible inside the library only.
comptime {
    @export(&table, .{ .name = "sherry_training_level_avx2", .visibility = .hidden });
}
