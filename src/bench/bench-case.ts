/**
 * What a bench measures: one call of one kernel at one shape, on a number of threads, with its operands in cache or
 * streaming from memory.
 */

/** In cache: every call reads the same operands. Stream: calls rotate over copies that no cache holds. */
export type Residence = "cache" | "stream";

/** What one call does, for speeds and shares. */
export interface Work {
  /** Multiplications and additions, counted apart; 0 where that says nothing. */
  readonly operations: number;
  /** Bytes that must come from memory: weights, keys and values, or vectors. */
  readonly bytes: number;
  /** Ternary (or other) weights of a matrix, once whatever the tokens; 0 for everything else. */
  readonly weights: number;
}

/** Bits of a result beside those of the scalar level on the same operands. */
export interface Verification {
  /** Of the whole result. */
  readonly checksum: string;
  /** Of what both computed: all of it, or all rows of some tokens where the scalar level would take minutes. */
  readonly received: string;
  readonly expected: string;
}

export interface BenchCase {
  /** E.g. "sherry", "q8", "attention". */
  readonly kernel: string;
  /** E.g. "2048x2048". */
  readonly shape: string;
  readonly tokens: number;
  readonly threads: number;
  readonly residence: Residence;
  readonly work: Work;
  /** Distinct operands that calls may rotate over; 1 in cache. */
  readonly copies: number;
  /** One call on operands `copy` (0 .. copies - 1). */
  readonly run: (copy: number) => void;
  /** Runs once, and the scalar level once; null for measures that have no result. */
  readonly verify: () => Verification | null;
  /** What the calls cost beside time, asked for at the end; left out by cases that have nothing to say. */
  readonly remark?: () => string;
}

/** Names a case in messages, in reports and for --filter. */
export function caseName(
  bench_case: Pick<BenchCase, "kernel" | "shape" | "tokens" | "threads" | "residence">,
): string {
  const { kernel, shape, tokens, threads, residence } = bench_case;
  const batch = tokens === 1 ? "" : ` x ${tokens} tokens`;
  return `${kernel} ${shape}${batch}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${residence}`;
}

/** What tells one case from another. */
export function keyOf(of: Pick<BenchCase, "kernel" | "shape" | "tokens" | "threads" | "residence">): string {
  return [of.kernel, of.shape, of.tokens, of.threads, of.residence].join("|");
}

/** A short fingerprint of bytes. */
export function checksumOf(...parts: readonly Uint8Array[]): string {
  let hash = 0n;
  for (const part of parts) hash = Bun.hash.wyhash(part, hash);
  return hash.toString(16).padStart(16, "0");
}
