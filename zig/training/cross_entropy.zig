//! Softmax cross-entropy: loss = log(sum e^z) - z[target] in nats; dz = scale (softmax(z) - onehot(target)). A token whose
//! target is `ignored` has loss 0 and gradient 0. Targets are below V or ignored: the C ABI checks that first.
//!
//! Unit of work: one token.

pub const ignored: u32 = 0xffff_ffff;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, V]
        logits: [*]const Float,
        targets: [*]const u32,
        vocabulary: usize,
        scale: Float,
        /// [N], not scaled.
        losses: [*]Float,
        /// [N, V]; may be the logits.
        dlogits: [*]Float,
    };
}
