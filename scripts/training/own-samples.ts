/**
 * Texts that a model writes itself, through the runtime: training data for continuing it without the texts that it was
 * trained on. The same model and seed give the same texts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSteps } from "../../src/generation/steps.ts";
import { TextModel } from "../../src/generation/text-model.ts";
import type { Prompt } from "../../src/generation/types.ts";
import type { LinearKind } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";

/** Opens a folder in the runtime, packed to a temporary file, while `work` runs. */
export async function withRuntime<Result>(
  folder: string,
  linear: LinearKind,
  work: (text_model: TextModel) => Result,
): Promise<Result> {
  const place = mkdtempSync(join(tmpdir(), "sherry-training-"));
  try {
    const output = join(place, "model.sherry");
    await packCheckpoint({
      ...{ input: folder, output, linear, embedding: "f16", head: null, scale: "auto", label: null },
    });
    const text_model = TextModel.open(output, {});
    try {
      return work(text_model);
    } finally {
      text_model.close();
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What the model writes after `prompt`, until it ends or begins another text. */
export function writeOne(
  text_model: TextModel,
  prompt: Prompt,
  settings: { readonly max_tokens: number; readonly temperature: number; readonly seed: number },
): string {
  const { bos_token_id } = text_model.model.directory.config;
  const options = text_model.resolve({ ...settings, top_k: 0, top_p: 1 });
  let text = "";
  for (const chunk of generateSteps(text_model, { prompt, options, queue_ms: 0, check: () => {} })) {
    if (chunk === null) continue;
    // Models of short texts begin the next one by themselves.
    if (bos_token_id !== null && chunk.token_ids.includes(bos_token_id)) break;
    text += chunk.text;
  }
  return text;
}

/** `count` texts, from the start token alone. */
export function* writeMany(
  text_model: TextModel,
  count: number,
  max_tokens: number,
  temperature: number,
): Generator<string> {
  const { bos_token_id, eos_token_ids } = text_model.model.directory.config;
  const prompt = { token_ids: [bos_token_id ?? eos_token_ids[0] ?? 0] };
  for (let seed = 0; seed < count; seed += 1) {
    yield writeOne(text_model, prompt, { max_tokens, temperature, seed }).trim();
  }
}
