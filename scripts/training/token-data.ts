/**
 * Where a training's tokens come from, one interface for the corpus and for text files: packed sequences without
 * padding, each target the token after its input, and a held-out text. What a sequence holds depends on the seed and the
 * position alone, so a resumed run reads on where the checkpoint stood.
 *
 * Legend: S sequences, T tokens of a sequence.
 */

/** As a checkpoint stores it. */
export interface DataPosition {
  /** Sequences that were read. */
  readonly sequences: number;
  /** The seed of the next document; 0 for text files. */
  readonly next_seed: number;
  /** Tokens of documents that were begun and not used up. */
  readonly pending: readonly number[];
}

export interface TokenData {
  /** What evaluation predicts: the documents that no training sequence holds. */
  readonly held_out_text: string;
  readonly position: DataPosition;
  restore(position: DataPosition): void;
  /** Fills `inputs` and `targets`, u32 [S][T] each. */
  next(inputs: Uint32Array, targets: Uint32Array): void;
}
