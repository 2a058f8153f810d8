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
