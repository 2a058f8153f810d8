/**
 * The training kernels, one method each, with the checks on this side of the boundary: every buffer long enough for the
 * shape. Zig checks the shapes again. A method returns when its result is written; every result has the same bits for any
 * number of threads. The mathematics of each operation is in zig/training/, in the file of its name.
 *
 * Legend: N tokens, K in_features, R out_features, C hidden_size, V vocabulary.
 */
import { ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { checkStatus } from "./status.ts";
import { type TokenShape, TrainingBlockKernels } from "./training-block.ts";
import { TokenBuffer, TrainingBuffer } from "./training-buffer.ts";
import { need, type TrainingKernelOptions } from "./training-context.ts";

export type { AttentionShape, LinearShape, RotaryShape, TokenShape } from "./training-block.ts";
export { TokenBuffer, TrainingBuffer } from "./training-buffer.ts";

/** A target of crossEntropy that counts for nothing. */
export const IGNORED_TARGET = 0xffff_ffff;
/** zig/training/fake_quantize.zig, Method. */
const METHOD_CODES = { none: 0, sherry: 1, absmean: 2, twn: 3, binary: 4 } as const;
export type QuantizerMethod = keyof typeof METHOD_CODES;

export interface EmbeddingShape extends TokenShape {
  readonly vocabulary: number;
}

export interface LogitsShape {
  readonly tokens: number;
  readonly vocabulary: number;
}

/** W [R, K] */
export interface MatrixShape {
  readonly out_features: number;
  readonly in_features: number;
}

export interface QuantizerChoice {
  readonly method: QuantizerMethod;
  readonly granularity: "tensor" | "channel" | "group";
  /** Divides in_features, a multiple of 4, when the granularity is group; else not read. */
  readonly group_columns: number;
}

export interface AdamWOptions {
  readonly learning_rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weight_decay: number;
  /** Counts from 1. */
  readonly step: number;
  /** Multiplies the gradient first. */
  readonly gradient_scale: number;
}

/** All operations of training on one instruction set level with one thread pool. */
export class TrainingKernels extends TrainingBlockKernels {
  /** @throws SherryError cpu_unsupported | internal | out_of_memory | native_failed, or the loader's. */
  static create(options: TrainingKernelOptions): TrainingKernels {
    return new TrainingKernels(options);
  }

  /** f32 [count], zeroed; the caller frees it. */
  static buffer(count: number): TrainingBuffer {
    return TrainingBuffer.allocate(count);
  }

  /** u32 [count], zeroed; the caller frees it. */
  static tokens(count: number): TokenBuffer {
    return TokenBuffer.allocate(count);
  }

  /** x [N, C] = the rows `ids` [N] of table [V, C]. */
  embeddingForward(x: TrainingBuffer, table: TrainingBuffer, ids: TokenBuffer, shape: EmbeddingShape): void {
    const { tokens, width, vocabulary } = shape;
    const status = this.symbols.sherry_train_embedding_forward(
      this.context,
      need("embeddingForward: table", table, vocabulary * width),
      vocabulary,
      width,
      need("embeddingForward: ids", ids, tokens),
      tokens,
      need("embeddingForward: x", x, tokens * width),
    );
    checkStatus(status, "embeddingForward");
  }

  /** dtable [V, C] += dx [N, C] at the rows `ids`. */
  embeddingBackward(
    dtable: TrainingBuffer,
    dx: TrainingBuffer,
    ids: TokenBuffer,
    shape: EmbeddingShape,
  ): void {
    const { tokens, width, vocabulary } = shape;
    const status = this.symbols.sherry_train_embedding_backward(
      this.context,
      need("embeddingBackward: dx", dx, tokens * width),
      vocabulary,
      width,
      need("embeddingBackward: ids", ids, tokens),
      tokens,
      need("embeddingBackward: dtable", dtable, vocabulary * width),
    );
    checkStatus(status, "embeddingBackward");
  }

  /**
   * losses [N] in nats and dlogits [N, V] = scale (softmax(logits) - onehot(targets)), which may be the logits. A target
   * of IGNORED_TARGET gives loss 0 and gradient 0.
   */
  crossEntropy(
    losses: TrainingBuffer,
    dlogits: TrainingBuffer,
    logits: TrainingBuffer,
    targets: TokenBuffer,
    { tokens, vocabulary }: LogitsShape,
    scale: number,
  ): void {
    const status = this.symbols.sherry_train_cross_entropy(
      this.context,
      need("crossEntropy: logits", logits, tokens * vocabulary),
      need("crossEntropy: targets", targets, tokens),
      tokens,
      vocabulary,
      scale,
      need("crossEntropy: losses", losses, tokens),
      need("crossEntropy: dlogits", dlogits, tokens * vocabulary),
    );
    checkStatus(status, "crossEntropy");
  }

  /** losses [N] = T^2 KL(teacher || student), T the temperature; dlogits += weight times their gradient, not the logits. */
  distillation(
    losses: TrainingBuffer,
    dlogits: TrainingBuffer,
    logits: TrainingBuffer,
    teacher_logits: TrainingBuffer,
    { tokens, vocabulary }: LogitsShape,
    { weight, temperature }: { readonly weight: number; readonly temperature: number },
  ): void {
    const status = this.symbols.sherry_train_distillation(
      this.context,
      need("distillation: logits", logits, tokens * vocabulary),
      need("distillation: teacher_logits", teacher_logits, tokens * vocabulary),
      tokens,
      vocabulary,
      weight,
      temperature,
      need("distillation: losses", losses, tokens),
      need("distillation: dlogits", dlogits, tokens * vocabulary),
    );
    checkStatus(status, "distillation");
  }

  /** y += x, [count]. */
  add(y: TrainingBuffer, x: TrainingBuffer, count = y.count): void {
    const x_address = need("add: x", x, count);
    const status = this.symbols.sherry_train_add(this.context, x_address, count, need("add: y", y, count));
    checkStatus(status, "add");
  }

  /** `value` everywhere. */
  fill(y: TrainingBuffer, value: number): void {
    checkStatus(this.symbols.sherry_train_fill(this.context, value, y.count, y.address), "fill");
  }

  zero(y: TrainingBuffer): void {
    this.fill(y, 0);
  }

  /** w_effective [R, K] = Q(w) + lambda w; lambda is 0 for the method none. */
  fakeQuantize(
    w_effective: TrainingBuffer,
    w: TrainingBuffer,
    { out_features, in_features }: MatrixShape,
    { method, granularity, group_columns }: QuantizerChoice,
    lambda: number,
  ): void {
    const status = this.symbols.sherry_train_fake_quantize(
      this.context,
      need("fakeQuantize: w", w, out_features * in_features),
      out_features,
      in_features,
      METHOD_CODES[method],
      granularity === "group" ? group_columns : in_features,
      granularity === "tensor" ? 1 : 0,
      lambda,
      need("fakeQuantize: w_effective", w_effective, out_features * in_features),
    );
    checkStatus(status, "fakeQuantize");
  }

  /** Where each block of four of w [R, K] has its zero under sherry: 0..3, [R, K / 4]. */
  quantizerStates(states: Uint8Array, w: TrainingBuffer, { out_features, in_features }: MatrixShape): void {
    const blocks = (out_features * in_features) / 4;
    if (!Number.isSafeInteger(blocks) || states.length < blocks) {
      throw new SherryError("internal", "quantizerStates: states", {
        expected: `at least ${blocks} bytes, for in_features a multiple of 4`,
        received: String(states.length),
      });
    }
    const status = this.symbols.sherry_train_zero_positions(
      this.context,
      need("quantizerStates: w", w, out_features * in_features),
      out_features,
      in_features,
      ptr(states),
    );
    checkStatus(status, "quantizerStates");
  }

  /** In f64, in one order for each count. */
  sumOfSquares(x: TrainingBuffer): number {
    const out = new Float64Array(1);
    checkStatus(
      this.symbols.sherry_train_sum_of_squares(this.context, x.address, x.count, ptr(out)),
      "sumOfSquares",
    );
    return out[0] ?? 0;
  }

  /** One step of w with its moments m and v, all of gradient's count. */
  adamw(
    w: TrainingBuffer,
    gradient: TrainingBuffer,
    m: TrainingBuffer,
    v: TrainingBuffer,
    options: AdamWOptions,
  ): void {
    const { count } = gradient;
    const status = this.symbols.sherry_train_adamw(
      this.context,
      gradient.address,
      count,
      options.step,
      options.learning_rate,
      options.beta1,
      options.beta2,
      options.epsilon,
      options.weight_decay,
      options.gradient_scale,
      need("adamw: w", w, count),
      need("adamw: m", m, count),
      need("adamw: v", v, count),
    );
    checkStatus(status, "adamw");
  }
}
