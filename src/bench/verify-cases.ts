/** Before anything is timed: whether each case's result has the bits of the scalar level's. */
import { type BenchCase, caseName } from "./bench-case.ts";

export interface VerifiedCases {
  readonly checksums: ReadonlyMap<BenchCase, string>;
  /** A sentence for each result that differs. */
  readonly mismatches: readonly string[];
}

/** @throws the signal's reason */
export async function verifyCases(
  cases: readonly BenchCase[],
  on_progress: (share: number, text: string) => void,
  signal: AbortSignal,
): Promise<VerifiedCases> {
  const checksums = new Map<BenchCase, string>();
  const mismatches: string[] = [];
  for (const [index, bench_case] of cases.entries()) {
    on_progress(index / cases.length, `comparing with the scalar level: ${caseName(bench_case)}`);
    const verification = bench_case.verify();
    if (verification !== null) {
      const { checksum, received, expected } = verification;
      checksums.set(bench_case, checksum);
      if (received !== expected) {
        mismatches.push(`${caseName(bench_case)}: expected checksum ${expected}, received ${received}`);
      }
    }
    // Signals and the progress line get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return { checksums, mismatches };
}
