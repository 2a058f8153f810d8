/**
 * What the choice of embedding and head costs, measured: the perplexity of the packed file on a text, beside that of the
 * same checkpoint packed the same way but with f16 tables.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScoringProgress, scoreText } from "../generation/scoring.ts";
import { TextModel } from "../generation/text-model.ts";
import type { PackOptions } from "../packing/pack-options.ts";
import { packCheckpoint } from "../packing/packer.ts";
import { readTextFile } from "./text-file.ts";

export interface TableEffect {
  readonly text: string;
  readonly scored_tokens: number;
  /** Of the file as it was packed. */
  readonly perplexity: number;
  /** Of the yardstick: embedding and head in f16. */
  readonly perplexity_f16_tables: number;
}

/** Tokens of the text that are scored at most: enough to tell kinds of tables apart, few enough to wait for. */
const SCORED_TOKENS_MAX = 8_192;

async function perplexityOf(
  path: string,
  text: string,
  signal: AbortSignal,
  on_progress: (progress: ScoringProgress) => void,
) {
  const text_model = TextModel.open(path, {});
  try {
    return await scoreText(text_model, text, { max_tokens: SCORED_TOKENS_MAX, signal, on_progress });
  } finally {
    text_model.close();
  }
}

/**
 * @param options what `packed_path` was packed with. The yardstick is written to a temporary folder and removed.
 * @throws SherryError as packing and scoring do; the signal's reason.
 */
export async function measureTableEffect(
  options: PackOptions,
  packed_path: string,
  text_path: string,
  signal: AbortSignal,
  on_progress: (progress: ScoringProgress) => void,
): Promise<TableEffect> {
  const text = readTextFile(text_path);
  const folder = mkdtempSync(join(tmpdir(), "sherry-yardstick-"));
  try {
    const yardstick = join(folder, "yardstick.sherry");
    await packCheckpoint({
      ...options,
      output: yardstick,
      embedding: "f16",
      // Only a head of its own may be asked for; a tied one follows the embedding.
      head: options.head === null ? null : "f16",
      signal,
    });
    const packed = await perplexityOf(packed_path, text, signal, on_progress);
    const reference = await perplexityOf(yardstick, text, signal, on_progress);
    return {
      text: text_path,
      scored_tokens: packed.scored_tokens,
      perplexity: packed.perplexity,
      perplexity_f16_tables: reference.perplexity,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One sentence. */
export function tableEffectText(effect: TableEffect): string {
  const { text, scored_tokens, perplexity, perplexity_f16_tables } = effect;
  const percent = (perplexity / perplexity_f16_tables - 1) * 100;
  const change = `${percent >= 0 ? "+" : ""}${percent.toFixed(2)} %`;
  return `Perplexity on ${text} (${scored_tokens} tokens): ${perplexity.toFixed(4)} as packed, ${perplexity_f16_tables.toFixed(4)} with embedding and head in f16 (${change}).`;
}
