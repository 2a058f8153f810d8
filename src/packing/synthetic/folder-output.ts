/**
 * Writes a random model as a Hugging Face folder: bf16 weights in one safetensors file or several shards, config.json and
 * the tokenizer's files. The folder appears under its name when it is whole.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SherryError } from "../../errors.ts";
import type { JsonObject } from "../json-text.ts";
import type { Advance } from "../row-tiles.ts";
import type { SyntheticTensor } from "./checkpoint-tensors.ts";
import { SequentialFile, safetensorsHeader } from "./safetensors-writer.ts";

/** What transformers' save_pretrained takes by default. */
export const SHARD_BYTES_DEFAULT = 5_000_000_000;
const PIECE_BYTES = 4_194_304;

/** Texts and JSON beside the weights, by file name. */
export type FolderTexts = Readonly<Record<string, string | JsonObject>>;

interface Shard {
  readonly file_name: string;
  readonly tensors: readonly SyntheticTensor[];
}

/**
 * @param output a folder that is not there yet, or is empty
 * @param shard_bytes a file holds at most so many bytes of weights, unless a single tensor has more
 * @returns the bytes of all files. @throws SherryError file_unwritable, and what `advanceIn` and its results throw
 */
export async function writeModelFolder(
  output: string,
  tensors: readonly SyntheticTensor[],
  texts: FolderTexts,
  shard_bytes: number,
  advanceIn: (tensor: string) => Advance,
): Promise<number> {
  const target = resolve(output);
  const partial = `${target}.${process.pid}.partial`;
  checkTarget(target);
  try {
    attempt(target, () => mkdirSync(partial));
    let total_bytes = 0;
    const addText = (name: string, content: string | JsonObject) => {
      const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
      attempt(target, () => writeFileSync(join(partial, name), text));
      total_bytes += Buffer.byteLength(text);
    };
    for (const [name, content] of Object.entries(texts)) addText(name, content);
    const shards = shardsOf(tensors, shard_bytes);
    if (shards.length > 1) addText("model.safetensors.index.json", indexOf(shards));
    for (const shard of shards) total_bytes += await writeShard(partial, shard, advanceIn);
    attempt(target, () => {
      if (existsSync(target)) rmdirSync(target);
      renameSync(partial, target);
    });
    return total_bytes;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function shardsOf(tensors: readonly SyntheticTensor[], shard_bytes: number): Shard[] {
  const groups: SyntheticTensor[][] = [];
  let used_bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    if (used_bytes + tensor.bytes > shard_bytes) {
      groups.push([]);
      used_bytes = 0;
    }
    groups.at(-1)?.push(tensor);
    used_bytes += tensor.bytes;
  }
  const count = String(groups.length).padStart(5, "0");
  return groups.map((group, index) => ({
    file_name:
      groups.length === 1
        ? "model.safetensors"
        : `model-${String(index + 1).padStart(5, "0")}-of-${count}.safetensors`,
    tensors: group,
  }));
}

function indexOf(shards: readonly Shard[]): JsonObject {
  const placed = shards.flatMap(({ file_name, tensors }) => tensors.map(({ name }) => [name, file_name]));
  const total_size = shards.flatMap((shard) => shard.tensors).reduce((sum, tensor) => sum + tensor.bytes, 0);
  return { metadata: { total_size }, weight_map: Object.fromEntries(placed) };
}

async function writeShard(
  folder: string,
  shard: Shard,
  advanceIn: (tensor: string) => Advance,
): Promise<number> {
  const file = new SequentialFile(join(folder, shard.file_name));
  try {
    const header = safetensorsHeader(shard.tensors.map((tensor) => ({ ...tensor, dtype: "BF16" })));
    file.append(header);
    for (const tensor of shard.tensors) {
      const advance = advanceIn(tensor.name);
      for (let done = 0; done < tensor.bytes; ) {
        const piece = tensor.source.read(done, Math.min(PIECE_BYTES, tensor.bytes - done));
        file.append(piece);
        done += piece.length;
        await advance(piece.length / 2);
      }
    }
    return header.length + shard.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  } finally {
    file.close();
  }
}

function checkTarget(target: string): void {
  attempt(target, () => {
    if (!existsSync(target) || readdirSync(target).length === 0) return;
    throw new SherryError("file_unwritable", target, {
      expected: "a folder that is not there yet, or is empty",
      received: "a folder with files in it",
      next_step: "Choose another folder, or remove this one",
    });
  });
}

function attempt<T>(target: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SherryError) throw cause;
    throw new SherryError("file_unwritable", target, {
      expected: "a place where a folder can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "Check that the folder above exists, its permissions and the free space",
      cause,
    });
  }
}
