/**
 * The exported model's perplexity through the runtime that serves it: packed to a temporary file and scored as
 * `sherry perplexity --context T --stride T-1 --tokens n` does, not by the training code. Methods other than sherry are
 * packed with f32 linear layers, since the format's ternary kind is Sherry's.
 *
 * Legend: T tokens of a sequence.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { scoreText } from "../../src/generation/scoring.ts";
import { TextModel } from "../../src/generation/text-model.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import type { PackSummary } from "../../src/packing/summary.ts";
import type { Method } from "./config-schema.ts";

export interface RuntimeEvaluation {
  readonly perplexity: number;
  readonly tokens: number;
  readonly summary: PackSummary;
}

export interface RuntimeEvaluationOptions {
  readonly method: Method;
  readonly sequence_tokens: number;
  readonly max_tokens: number;
  readonly thread_count: number;
}

/** @throws SherryError internal when the packer has to project a layer: an export that is not on the grid */
export async function evaluateExport(
  folder: string,
  held_out_text: string,
  options: RuntimeEvaluationOptions,
): Promise<RuntimeEvaluation> {
  const { method, sequence_tokens, max_tokens, thread_count } = options;
  const place = mkdtempSync(join(tmpdir(), "sherry-training-"));
  try {
    const output = join(place, "model.sherry");
    const summary = await packCheckpoint({
      ...{ input: folder, output, embedding: "f16", head: null, scale: "auto", label: null },
      linear: method === "sherry" ? "sherry" : "f32",
    });
    if (summary.projected_tensors > 0) {
      throw new SherryError("internal", "the exported model", {
        expected: `all ${summary.linear_tensors} linear layers on the 3:4 grid`,
        received: `${summary.projected_tensors} off it`,
      });
    }
    const text_model = TextModel.open(output, { thread_count });
    try {
      const { perplexity, scored_tokens } = await scoreText(text_model, held_out_text, {
        context: sequence_tokens,
        stride: sequence_tokens - 1,
        max_tokens,
      });
      return { perplexity, tokens: scored_tokens, summary };
    } finally {
      text_model.close();
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
