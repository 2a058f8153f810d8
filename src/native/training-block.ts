/**
 * The kernels of a transformer block, forward and backward: linear layers, RMS norm, rotary, attention, SwiGLU.
 * training-kernels.ts adds the others and is what callers hold.
 *
 * Legend: N tokens (B sequences of T), K in_features, R out_features, C hidden_size, H query heads, G key-value heads,
 * D head_dim.
 */

import { checkStatus } from "./status.ts";
import type { TrainingBuffer } from "./training-buffer.ts";
import { need, TrainingContext } from "./training-context.ts";

/** A linear layer's: Y [N, R] = X [N, K] W^T, W [R, K]. */
export interface LinearShape {
  readonly tokens: number;
  readonly out_features: number;
  readonly in_features: number;
}

/** N tokens of C values each. */
export interface TokenShape {
  readonly tokens: number;
  readonly width: number;
}

export interface RotaryShape {
  /** N, whole sequences of `sequence_tokens`. */
  readonly tokens: number;
  readonly sequence_tokens: number;
  readonly heads: number;
  readonly head_dim: number;
}

export interface AttentionShape {
  readonly sequences: number;
  readonly sequence_tokens: number;
  readonly heads: number;
  readonly key_value_heads: number;
  readonly head_dim: number;
}

/** Methods over the shapes above. */
export abstract class TrainingBlockKernels extends TrainingContext {
  /** y [N, R] = x [N, K] w^T, w [R, K]. */
  linearForward(y: TrainingBuffer, x: TrainingBuffer, w: TrainingBuffer, shape: LinearShape): void {
    const { tokens, out_features, in_features } = shape;
    const status = this.symbols.sherry_train_linear_forward(
      this.context,
      need("linearForward: x", x, tokens * in_features),
      need("linearForward: w", w, out_features * in_features),
      tokens,
      out_features,
      in_features,
      need("linearForward: y", y, tokens * out_features),
    );
    checkStatus(status, "linearForward");
  }

  /** dx [N, K] = dy [N, R] w, added to dx when `accumulate`. */
  linearBackwardInput(
    dx: TrainingBuffer,
    dy: TrainingBuffer,
    w: TrainingBuffer,
    shape: LinearShape,
    accumulate: boolean,
  ): void {
    const { tokens, out_features, in_features } = shape;
    const status = this.symbols.sherry_train_linear_backward_input(
      this.context,
      need("linearBackwardInput: dy", dy, tokens * out_features),
      need("linearBackwardInput: w", w, out_features * in_features),
      tokens,
      out_features,
      in_features,
      accumulate ? 1 : 0,
      need("linearBackwardInput: dx", dx, tokens * in_features),
    );
    checkStatus(status, "linearBackwardInput");
  }

  /** dw [R, K] += scale dy^T x. */
  linearBackwardWeight(
    dw: TrainingBuffer,
    dy: TrainingBuffer,
    x: TrainingBuffer,
    shape: LinearShape,
    scale: number,
  ): void {
    const { tokens, out_features, in_features } = shape;
    const status = this.symbols.sherry_train_linear_backward_weight(
      this.context,
      need("linearBackwardWeight: dy", dy, tokens * out_features),
      need("linearBackwardWeight: x", x, tokens * in_features),
      tokens,
      out_features,
      in_features,
      scale,
      need("linearBackwardWeight: dw", dw, out_features * in_features),
    );
    checkStatus(status, "linearBackwardWeight");
  }

  /** y [N, C] = x / rms(x) * gain [C]; inverse_rms [N] is for the backward. */
  rmsNormForward(
    y: TrainingBuffer,
    inverse_rms: TrainingBuffer,
    x: TrainingBuffer,
    gain: TrainingBuffer,
    { tokens, width }: TokenShape,
    epsilon: number,
  ): void {
    const status = this.symbols.sherry_train_rms_norm_forward(
      this.context,
      need("rmsNormForward: x", x, tokens * width),
      need("rmsNormForward: gain", gain, width),
      tokens,
      width,
      epsilon,
      need("rmsNormForward: inverse_rms", inverse_rms, tokens),
      need("rmsNormForward: y", y, tokens * width),
    );
    checkStatus(status, "rmsNormForward");
  }

  /** dx [N, C] += and dgain [C] += the gradients. */
  rmsNormBackward(
    dx: TrainingBuffer,
    dgain: TrainingBuffer,
    dy: TrainingBuffer,
    x: TrainingBuffer,
    gain: TrainingBuffer,
    inverse_rms: TrainingBuffer,
    { tokens, width }: TokenShape,
  ): void {
    const status = this.symbols.sherry_train_rms_norm_backward(
      this.context,
      need("rmsNormBackward: dy", dy, tokens * width),
      need("rmsNormBackward: x", x, tokens * width),
      need("rmsNormBackward: gain", gain, width),
      need("rmsNormBackward: inverse_rms", inverse_rms, tokens),
      tokens,
      width,
      need("rmsNormBackward: dx", dx, tokens * width),
      need("rmsNormBackward: dgain", dgain, width),
    );
    checkStatus(status, "rmsNormBackward");
  }

  /** Turns x [N, heads, D] in place by table [T][2][D/2]: each position's cosines, then its sines. */
  rotaryForward(x: TrainingBuffer, table: TrainingBuffer, shape: RotaryShape): void {
    this.#rotary(x, table, shape, 0);
  }

  /** The gradient of rotaryForward, in place. */
  rotaryBackward(dx: TrainingBuffer, table: TrainingBuffer, shape: RotaryShape): void {
    this.#rotary(dx, table, shape, 1);
  }

  #rotary(x: TrainingBuffer, table: TrainingBuffer, shape: RotaryShape, backward: number): void {
    const { tokens, sequence_tokens, heads, head_dim } = shape;
    const status = this.symbols.sherry_train_rotary(
      this.context,
      need("rotary: x", x, tokens * heads * head_dim),
      need("rotary: table", table, sequence_tokens * head_dim),
      tokens,
      sequence_tokens,
      heads,
      head_dim,
      backward,
    );
    checkStatus(status, "rotary");
  }

  /** o [N, H, D] and log_sum_exp [B, H, T] of causal attention within each sequence; q [N, H, D], k and v [N, G, D]. */
  attentionForward(
    o: TrainingBuffer,
    log_sum_exp: TrainingBuffer,
    q: TrainingBuffer,
    k: TrainingBuffer,
    v: TrainingBuffer,
    shape: AttentionShape,
  ): void {
    const { sequences, sequence_tokens, heads, key_value_heads, head_dim } = shape;
    const tokens = sequences * sequence_tokens;
    const status = this.symbols.sherry_train_attention_forward(
      this.context,
      need("attentionForward: q", q, tokens * heads * head_dim),
      need("attentionForward: k", k, tokens * key_value_heads * head_dim),
      need("attentionForward: v", v, tokens * key_value_heads * head_dim),
      sequences,
      sequence_tokens,
      heads,
      key_value_heads,
      head_dim,
      need("attentionForward: o", o, tokens * heads * head_dim),
      need("attentionForward: log_sum_exp", log_sum_exp, tokens * heads),
    );
    checkStatus(status, "attentionForward");
  }

  /** dq, dk and dv, replaced. */
  attentionBackward(
    dq: TrainingBuffer,
    dk: TrainingBuffer,
    dv: TrainingBuffer,
    d_o: TrainingBuffer,
    o: TrainingBuffer,
    log_sum_exp: TrainingBuffer,
    q: TrainingBuffer,
    k: TrainingBuffer,
    v: TrainingBuffer,
    shape: AttentionShape,
  ): void {
    const { sequences, sequence_tokens, heads, key_value_heads, head_dim } = shape;
    const tokens = sequences * sequence_tokens;
    const queries = tokens * heads * head_dim;
    const keys = tokens * key_value_heads * head_dim;
    const status = this.symbols.sherry_train_attention_backward(
      this.context,
      need("attentionBackward: q", q, queries),
      need("attentionBackward: k", k, keys),
      need("attentionBackward: v", v, keys),
      need("attentionBackward: o", o, queries),
      need("attentionBackward: log_sum_exp", log_sum_exp, tokens * heads),
      need("attentionBackward: d_o", d_o, queries),
      sequences,
      sequence_tokens,
      heads,
      key_value_heads,
      head_dim,
      need("attentionBackward: dq", dq, queries),
      need("attentionBackward: dk", dk, keys),
      need("attentionBackward: dv", dv, keys),
    );
    checkStatus(status, "attentionBackward");
  }

  /** h = silu(gate) * up, [count]; h may be gate or up. */
  swigluForward(h: TrainingBuffer, gate: TrainingBuffer, up: TrainingBuffer, count: number): void {
    const status = this.symbols.sherry_train_swiglu_forward(
      this.context,
      need("swigluForward: gate", gate, count),
      need("swigluForward: up", up, count),
      count,
      need("swigluForward: h", h, count),
    );
    checkStatus(status, "swigluForward");
  }

  /** dgate and dup, replaced; they may be the gate and up that they belong to. */
  swigluBackward(
    dgate: TrainingBuffer,
    dup: TrainingBuffer,
    dh: TrainingBuffer,
    gate: TrainingBuffer,
    up: TrainingBuffer,
    count: number,
  ): void {
    const status = this.symbols.sherry_train_swiglu_backward(
      this.context,
      need("swigluBackward: dh", dh, count),
      need("swigluBackward: gate", gate, count),
      need("swigluBackward: up", up, count),
      count,
      need("swigluBackward: dgate", dgate, count),
      need("swigluBackward: dup", dup, count),
    );
    checkStatus(status, "swigluBackward");
  }
}
