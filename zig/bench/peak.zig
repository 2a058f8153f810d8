//! What the vector units can do when nothing comes from memory: the roofs of the bench's roofline plot. Operations are
//! counted as in a matrix product: a multiplication and an addition are two.
//!
//! Unit of work: one thread's share, `rounds` rounds of the loop.

const std = @import("std");

pub const Arguments = extern struct { rounds: usize };

/// Operations of a round of `integers`: eight times 32 products of bytes, added to 16-bit sums.
pub const integer_operations = 8 * 32 * 2;
/// Operations of a round of `floats`: twelve fused multiply-adds of eight.
pub const float_operations = 12 * 8 * 2;

/// vpmaddubsw and vpaddw, eight chains: the way in which integer matrix products are usually computed.
pub fn integers(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |_| for (0..a.rounds) |_| {
        asm volatile (
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm10
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm11
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm12
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm13
            \\vpaddw %%ymm10, %%ymm0, %%ymm0
            \\vpaddw %%ymm11, %%ymm1, %%ymm1
            \\vpaddw %%ymm12, %%ymm2, %%ymm2
            \\vpaddw %%ymm13, %%ymm3, %%ymm3
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm10
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm11
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm12
            \\vpmaddubsw %%ymm9, %%ymm8, %%ymm13
            \\vpaddw %%ymm10, %%ymm4, %%ymm4
            \\vpaddw %%ymm11, %%ymm5, %%ymm5
            \\vpaddw %%ymm12, %%ymm6, %%ymm6
            \\vpaddw %%ymm13, %%ymm7, %%ymm7
            ::: .{
                .ymm0 = true,
                .ymm1 = true,
                .ymm2 = true,
                .ymm3 = true,
                .ymm4 = true,
                .ymm5 = true,
                .ymm6 = true,
                .ymm7 = true,
                .ymm10 = true,
                .ymm11 = true,
                .ymm12 = true,
                .ymm13 = true,
            });
    };
}

/// vfmadd231ps, twelve chains of products with zero, so that the sums stay zero whatever was in the registers.
pub fn floats(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    for (begin..end) |_| {
        asm volatile ("vzeroall" ::: all_registers);
        for (0..a.rounds) |_| {
            asm volatile (
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm0
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm1
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm2
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm3
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm4
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm5
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm6
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm7
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm8
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm9
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm10
                \\vfmadd231ps %%ymm13, %%ymm12, %%ymm11
                ::: all_registers);
        }
    }
}

const all_registers: std.lang.assembly.Clobbers = .{
    .ymm0 = true,
    .ymm1 = true,
    .ymm2 = true,
    .ymm3 = true,
    .ymm4 = true,
    .ymm5 = true,
    .ymm6 = true,
    .ymm7 = true,
    .ymm8 = true,
    .ymm9 = true,
    .ymm10 = true,
    .ymm11 = true,
    .ymm12 = true,
    .ymm13 = true,
    .ymm14 = true,
    .ymm15 = true,
};
