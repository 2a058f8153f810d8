//! Distillation from a teacher (Hinton et al. 2015): loss = T^2 KL(p || q) in nats, p = softmax(teacher / T),
//! q = softmax(student / T), T the temperature; its gradient to the student's logits is T (q - p). T^2 keeps the
//! gradient's size when the temperature changes.
//!
//! Unit of work: one token.

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, V]
        logits: [*]const Float,
        teacher_logits: [*]const Float,
        vocabulary: usize,
        weight: Float,
        temperature: Float,
        /// [N], replaced; the weight is not in them.
        losses: [*]Float,
        /// [N, V] += weight T (q - p). Not the logits.
        dlogits: [*]Float,
    };
}
