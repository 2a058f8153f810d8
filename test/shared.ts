/**
 * The shared folder of real models and texts, which stands beside the repository and is never part of it. Tests on it
 * are skipped, visibly, where it is absent; under CI they run, and fail.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

const SHARED = join(import.meta.dir, "..", "..", "shared");

export const SKIPS_SHARED = !existsSync(SHARED) && process.env["CI"] === undefined;

export const STORIES_FOLDER = join(SHARED, "models", "stories260K");

/** One prompt of reference.json: an independent implementation's float32 run. */
export interface ReferenceCase {
  readonly prompt: string;
  readonly prompt_tokens: readonly number[];
  /** The first logits of the last prompt position. */
  readonly last_logits_head: readonly number[];
  readonly last_logsumexp: number;
  /** 64 tokens. */
  readonly greedy: readonly number[];
}

export async function referenceCases(): Promise<readonly ReferenceCase[]> {
  const reference: { cases: ReferenceCase[] } = await Bun.file(join(STORIES_FOLDER, "reference.json")).json();
  return reference.cases;
}
