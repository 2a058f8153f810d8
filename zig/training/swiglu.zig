//! SwiGLU's gate (Shazeer 2020): h = silu(gate) up, silu(x) = x s, s = 1 / (1 + e^-x).
//! Backward: dup = dh silu(gate), dgate = dh up s (1 + gate (1 - s)).
//!
//! Unit of work: one element. The outputs may be the inputs they replace: h gate or up; dgate gate, dup up.

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        gate: [*]const Float,
        up: [*]const Float,
        h: [*]Float = undefined,
        dh: [*]const Float = undefined,
        dgate: [*]Float = undefined,
        dup: [*]Float = undefined,
    };
}
