/**
 * Writes the trained model as a Hugging Face folder: Q(W) for the quantized layers, everything else as it was trained,
 * all in f32. Scales of sherry's groups are first rounded to f16, so that the packer stores them in two bytes without
 * loss; final evaluation uses the rounded weights too.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SequentialFile, safetensorsHeader } from "../../src/packing/synthetic/safetensors-writer.ts";
import type { QuantizationConfig } from "./config-schema.ts";
import type { ModelDescription } from "./model-source.ts";
import type { Parameters } from "./parameters.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";
import { writeWholeFolder } from "./whole-files.ts";

const F16_NORMAL_MIN = 2 ** -14;
const F16_MAX = 65_504;

/** Makes the effective weights what is exported: lambda 0, scales as they are stored. */
export function settleWeights(parameters: Parameters, { method, granularity }: QuantizationConfig): void {
  parameters.quantize(0);
  if (method !== "sherry" || granularity !== "group") return;
  for (const { effective } of parameters.linear) roundToF16(effective.values);
}

/** Where f16 holds every scale to its full precision; a tensor with a tinier scale keeps f32. */
function roundToF16(weights: Float32Array): void {
  for (const weight of weights) {
    const magnitude = Math.abs(weight);
    if (magnitude !== 0 && (magnitude < F16_NORMAL_MIN || magnitude > F16_MAX)) return;
  }
  for (let index = 0; index < weights.length; index += 1) weights[index] = Math.f16round(weights[index] ?? 0);
}

/**
 * Replaces `folder` by the model, whose effective weights `settleWeights` has set. A folder is whole or absent. @throws SherryError file_unwritable
 */
export function exportModel(
  folder: string,
  parameters: Parameters,
  description: ModelDescription,
  tokenizer: TokenizerFiles,
): void {
  writeWholeFolder(folder, (partial) => {
    const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
    writeFileSync(join(partial, "config.json"), json(description.config_json));
    writeFileSync(join(partial, "generation_config.json"), json(description.generation_json));
    for (const [name, bytes] of tokenizer.files) writeFileSync(join(partial, name), bytes);
    writeWeights(join(partial, "model.safetensors"), parameters);
  });
}

function writeWeights(path: string, parameters: Parameters): void {
  const tensors = parameters.all.map(({ name, shape, count }) => ({
    ...{ name, shape, dtype: "F32" },
    bytes: count * 4,
  }));
  const file = new SequentialFile(path);
  try {
    file.append(safetensorsHeader(tensors));
    for (const { effective } of parameters.all) {
      const { buffer, byteOffset, byteLength } = effective.values;
      file.append(new Uint8Array(buffer, byteOffset, byteLength));
    }
  } finally {
    file.close();
  }
}
