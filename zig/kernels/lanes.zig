//! The one order of float reductions, so that every instruction set gives the same bits.
//!
//! A sum over n elements runs in eight lanes: lane i takes elements i, i + 8, i + 16 ... in order, each by a multiply
//! and a separate add (no fused multiply-add: a machine without it would have to emulate it). The remaining n % 8
//! elements go to lanes 0, 1, ... as if the input were padded with zeros. Then the lanes fold: (0+4, 1+5, 2+6, 3+7),
//! then (0+2, 1+3), then 0+1.
//!
//! `exponential` works on f32 and on any vector of f32 with the same operations in the same order.
const std = @import("std");

pub const count = 8;
pub const Lanes = @Vector(count, f32);

/// Folds eight running sums into one.
pub inline fn fold(lanes: Lanes) f32 {
    const four = [4]f32{ lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7] };
    return (four[0] + four[2]) + (four[1] + four[3]);
}
