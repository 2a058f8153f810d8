//! The core's clock, by the one thing that takes exactly one of its cycles: an addition that waits for the one before.
//! A register is added to a register, since recent cores fold additions of constants away in the renamer.
const builtin = @import("builtin");

/// Additions in one round of the loop; the loop's own instructions run beside them.
pub const chain_length = 64;

/// Whether `addChain` is a chain on this architecture.
pub const is_known = builtin.cpu.arch == .x86_64 or builtin.cpu.arch == .aarch64;

const instruction = switch (builtin.cpu.arch) {
    .x86_64 => "addq %[step], %[sum]\n",
    .aarch64 => "add %[sum], %[sum], %[step]\n",
    else => "",
};

const chain = blk: {
    var text: []const u8 = "";
    for (0..chain_length) |_| text = text ++ instruction;
    break :blk text;
};

/// `rounds` times 64 additions of `step` to 0, each waiting for the last.
pub fn addChain(rounds: u64, step: u64) u64 {
    var sum: u64 = 0;
    for (0..rounds) |_| {
        sum = asm volatile (chain
            : [sum] "=r" (-> u64),
            : [start] "0" (sum),
              [step] "r" (step),
        );
    }
    return sum;
}

test "the chain adds 64 times a round" {
    if (!is_known) return error.SkipZigTest;
    try @import("std").testing.expectEqual(1000 * 64 * 3, addChain(1000, 3));
}
