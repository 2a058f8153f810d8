/**
 * The weights of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json names. Only
 * headers are read here; elements are read by ranges, where they are needed.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../errors.ts";
import { type ByteSource, type FileSource, openFileSource } from "../format/byte-source.ts";
import type { FloatElement, TensorShape } from "../format/directory.ts";
import { SAFETENSORS_HEADER_BYTES_MAX } from "../limits.ts";
import { describeValue, excerpt } from "./excerpt.ts";
import type { GgufModelTensor } from "./gguf/model.ts";
import { isJsonObject, readOptionalJson } from "./json-text.ts";
import { readSafetensorsHeader, type SafetensorsTensor } from "./safetensors.ts";

/** Closes nothing: whoever opened the checkpoint does. */
export interface CheckpointTensor {
  readonly name: string;
  readonly shape: TensorShape;
  /** The elements lie row after row in `source` from `offset` on. */
  readonly element: FloatElement;
  readonly source: ByteSource;
  readonly offset: number;
  readonly bytes: number;
  /** The same tensor in a GGUF file's own blocks, for writers that keep those without loss. */
  readonly blocks?: GgufModelTensor;
}

/** The tensors of an opened checkpoint, whatever its format. */
export interface TensorStore {
  readonly warnings: readonly string[];
  names(): readonly string[];
  has(name: string): boolean;
  /** @throws SherryError checkpoint_invalid when it is missing or of another shape; checkpoint_unsupported */
  tensor(name: string, shape: TensorShape): CheckpointTensor;
  /** Closes the files. Safe to call twice. */
  close(): void;
}

/** Files open at once; the largest published checkpoints have a few hundred shards. */
const SHARD_COUNT_MAX = 1_000;
const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

const ELEMENTS: ReadonlyMap<string, FloatElement> = new Map([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
]);

interface StoredTensor extends SafetensorsTensor {
  readonly source: FileSource;
}

/** Every tensor of a checkpoint by name; owns the open files. */
export class CheckpointWeights implements TensorStore {
  readonly warnings: readonly string[];
  /** The bytes of all tensors. */
  readonly bytes: number;
  readonly #sources: readonly FileSource[];
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  private constructor(sources: FileSource[], tensors: Map<string, StoredTensor>, warnings: string[]) {
    this.#sources = sources;
    this.#tensors = tensors;
    this.warnings = warnings;
    this.bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  }

  /** @throws SherryError checkpoint_invalid | checkpoint_unsupported | file_not_found | file_unreadable */
  static open(folder: string): CheckpointWeights {
    const warnings: string[] = [];
    const sources: FileSource[] = [];
    try {
      const tensors = openFiles(folder, sources, warnings);
      return new CheckpointWeights(sources, tensors, warnings);
    } catch (error) {
      for (const source of sources) source.close();
      throw error;
    }
  }

  names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /**
   * The tensor of that name and shape.
   * @throws SherryError checkpoint_invalid when it is missing or of another shape; checkpoint_unsupported when its
   *   elements are not F32, F16 or BF16
   */
  tensor(name: string, shape: TensorShape): CheckpointTensor {
    const stored = this.#tensors.get(name);
    if (stored === undefined) throw missingTensor(name, shape, "config.json");
    checkStoredShape(name, stored.shape, shape, "config.json");
    const element = ELEMENTS.get(stored.dtype);
    if (element === undefined) {
      throw new SherryError("checkpoint_unsupported", `the elements of tensor ${name}`, {
        expected: "F32, F16 or BF16",
        received: stored.dtype,
        next_step: "Convert the checkpoint to one of these types",
      });
    }
    return { name, shape, element, source: stored.source, offset: stored.offset, bytes: stored.bytes };
  }

  /** Closes the files. Safe to call twice. */
  close(): void {
    for (const source of this.#sources) source.close();
  }
}

/** @param authority what says that the tensor belongs there */
export function missingTensor(name: string, shape: TensorShape, authority: string): SherryError {
  return new SherryError("checkpoint_invalid", `tensor ${name}`, {
    expected: `[${shape.join(", ")}], as ${authority} says`,
    received: "no such tensor in the checkpoint",
    next_step: "The checkpoint is incomplete or of another architecture",
  });
}

/** @throws SherryError checkpoint_invalid */
export function checkStoredShape(
  name: string,
  stored: readonly number[],
  shape: TensorShape,
  authority: string,
): void {
  if (stored.length === shape.length && stored.every((size, index) => size === shape[index])) return;
  throw new SherryError("checkpoint_invalid", `the shape of tensor ${name}`, {
    expected: `[${shape.join(", ")}], as ${authority} says`,
    received: `[${stored.join(", ")}]`,
  });
}

function openFiles(folder: string, sources: FileSource[], warnings: string[]): Map<string, StoredTensor> {
  const open = (file_name: string): ReadonlyMap<string, SafetensorsTensor> => {
    const source = openFileSource(join(folder, file_name));
    sources.push(source);
    return readSafetensorsHeader(source, file_name);
  };
  const own = (tensors: Iterable<SafetensorsTensor>): [string, StoredTensor][] => {
    const source = sources.at(-1);
    return source === undefined ? [] : [...tensors].map((tensor) => [tensor.name, { ...tensor, source }]);
  };
  if (existsSync(join(folder, SINGLE_FILE))) {
    if (existsSync(join(folder, INDEX_FILE)))
      warnings.push(`${INDEX_FILE} is not used: there is a ${SINGLE_FILE}`);
    return new Map(own(open(SINGLE_FILE).values()));
  }
  const weight_map = readShardIndex(folder);
  const result = new Map<string, StoredTensor>();
  for (const file_name of new Set(weight_map.values())) {
    const shard = open(file_name);
    const wanted: SafetensorsTensor[] = [];
    for (const tensor of shard.values()) {
      if (weight_map.get(tensor.name) === file_name) wanted.push(tensor);
      else
        warnings.push(
          `${file_name} holds ${excerpt(tensor.name)}, which the index does not place there: ignored`,
        );
    }
    for (const [name, tensor] of own(wanted)) result.set(name, tensor);
  }
  for (const [name, file_name] of weight_map) {
    if (result.has(name)) continue;
    throw new SherryError("checkpoint_invalid", `tensor ${excerpt(name)}`, {
      expected: `to be in ${file_name}, as ${INDEX_FILE} says`,
      received: "a file without it",
      next_step: "Shards of different checkpoints may be mixed up; get them again",
    });
  }
  return result;
}

/** The shard of each tensor. @throws SherryError checkpoint_invalid, also when the folder has no index */
export function readShardIndex(folder: string): ReadonlyMap<string, string> {
  const index = readOptionalJson(join(folder, INDEX_FILE), SAFETENSORS_HEADER_BYTES_MAX);
  if (index === null) throw noWeights(folder);
  const weight_map = index["weight_map"];
  if (!isJsonObject(weight_map)) {
    throw new SherryError("checkpoint_invalid", `${INDEX_FILE}: weight_map`, {
      expected: "an object of file names",
      received: describeValue(weight_map),
    });
  }
  const result = new Map<string, string>();
  for (const [name, file_name] of Object.entries(weight_map)) {
    // A name with a separator could lead out of the folder that the user named.
    if (typeof file_name !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/.test(file_name)) {
      throw new SherryError("checkpoint_invalid", `${INDEX_FILE}: the file of ${excerpt(name)}`, {
        expected: "the plain name of a .safetensors file in the same folder",
        received: describeValue(file_name),
      });
    }
    result.set(name, file_name);
  }
  const shards = new Set(result.values()).size;
  if (shards > SHARD_COUNT_MAX) {
    throw new SherryError("checkpoint_invalid", `${INDEX_FILE}: shards`, {
      expected: `at most ${SHARD_COUNT_MAX}`,
      received: String(shards),
    });
  }
  return result;
}

function noWeights(folder: string): SherryError {
  const others = readdirSync(folder).filter((name) => /\.(bin|pt|pth|gguf|safetensors)$/.test(name));
  return new SherryError("checkpoint_invalid", folder, {
    expected: `${SINGLE_FILE} or ${INDEX_FILE}`,
    received: others.length === 0 ? "neither" : excerpt(others.slice(0, 4).join(", ")),
    next_step: "Save the model with save_pretrained(folder, safe_serialization=True)",
  });
}
