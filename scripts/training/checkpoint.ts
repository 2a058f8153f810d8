/**
 * A run's state between two steps, as one safetensors file: latent weights and the optimizer's two moments in f32, and in
 * its metadata the step and the data's position. It is written beside its place, flushed to the disk and renamed, so that
 * a checkpoint is complete or absent whenever the process or the machine dies.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { SherryError } from "../../src/errors.ts";
import { openFileSource } from "../../src/format/byte-source.ts";
import { PartialFile } from "../../src/format/partial-file.ts";
import { SAFETENSORS_HEADER_BYTES_MAX } from "../../src/limits.ts";
import { parseJsonObject } from "../../src/packing/json-text.ts";
import { readSafetensorsHeader } from "../../src/packing/safetensors.ts";
import { safetensorsHeader } from "../../src/packing/synthetic/safetensors-writer.ts";
import { parseWith } from "./config.ts";
import { integer, number } from "./config-schema.ts";
import type { Parameter, Parameters } from "./parameters.ts";

export const CHECKPOINT_PATH = "checkpoint/state.safetensors";
const CHECKPOINT_VERSION = 1;
const METADATA_KEY = "sherry_training";
const LARGEST = Number.MAX_SAFE_INTEGER;

const STATE_SCHEMA = v.strictObject({
  version: v.literal(CHECKPOINT_VERSION, `${CHECKPOINT_VERSION}, this program's version`),
  /** Steps that are done. */
  step: integer(0, LARGEST),
  /** Seconds of training that they took. */
  seconds: number(0, LARGEST),
  /** Length of the log when the checkpoint was written. */
  log_bytes: integer(0, LARGEST),
  data: v.strictObject({
    sequences: integer(0, LARGEST),
    next_seed: integer(0, LARGEST),
    pending: v.array(integer(0, LARGEST), "token ids"),
  }),
});

export type RunState = v.InferOutput<typeof STATE_SCHEMA>;

type Part = "weights" | "first_moment" | "second_moment";
const PARTS: readonly Part[] = ["weights", "first_moment", "second_moment"];

/** @throws SherryError file_unwritable; the older checkpoint is then untouched */
export function writeCheckpoint(
  folder: string,
  parameters: Parameters,
  state: Omit<RunState, "version">,
): void {
  const path = join(folder, CHECKPOINT_PATH);
  const stored = storedTensors(parameters);
  const metadata = { [METADATA_KEY]: JSON.stringify({ version: CHECKPOINT_VERSION, ...state }) };
  const header = safetensorsHeader(stored, metadata);
  makeFolder(dirname(path));
  const file = PartialFile.create(path);
  try {
    let offset = header.length;
    for (const { values } of stored) {
      file.write(bytesOf(values), offset);
      offset += values.byteLength;
    }
    file.commit(header);
  } finally {
    file.discard();
  }
}

/**
 * Fills `parameters` from a run's checkpoint; null when the run has none yet.
 * @throws SherryError checkpoint_invalid for a file that is damaged or of another model
 */
export function readCheckpoint(folder: string, parameters: Parameters): RunState | null {
  const path = join(folder, CHECKPOINT_PATH);
  if (!existsSync(path)) return null;
  const source = openFileSource(path);
  try {
    const tensors = readSafetensorsHeader(source, path);
    for (const { name, shape, values } of storedTensors(parameters)) {
      const tensor = tensors.get(name);
      if (tensor?.dtype !== "F32" || tensor.shape.join() !== shape.join()) {
        throw new SherryError("checkpoint_invalid", `${path}: tensor ${name}`, {
          expected: `F32 [${shape.join(", ")}], as the configuration says`,
          received: tensor === undefined ? "none" : `${tensor.dtype} [${tensor.shape.join(", ")}]`,
          next_step: "The checkpoint belongs to another configuration",
        });
      }
      bytesOf(values).set(source.read(tensor.offset, tensor.bytes));
    }
    const header_bytes = Number(new DataView(source.read(0, 8).slice().buffer).getBigUint64(0, true));
    const header = parseJsonObject(
      source.read(8, Math.min(header_bytes, SAFETENSORS_HEADER_BYTES_MAX)),
      path,
    );
    return parseState(header["__metadata__"], path);
  } finally {
    source.close();
  }
}

function parseState(metadata: unknown, path: string): RunState {
  const state =
    typeof metadata === "object" && metadata !== null ? Reflect.get(metadata, METADATA_KEY) : undefined;
  try {
    return parseWith(STATE_SCHEMA, typeof state === "string" ? JSON.parse(state) : state);
  } catch (cause) {
    throw new SherryError("checkpoint_invalid", `${path}: ${METADATA_KEY}`, {
      expected: "the state of a training run",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "The file is damaged or of another version of this program",
      cause,
    });
  }
}

function storedTensors({ all }: Parameters) {
  return PARTS.flatMap((part) =>
    all.map((parameter: Parameter) => ({
      name: `${part}/${parameter.name}`,
      dtype: "F32",
      shape: parameter.shape,
      bytes: parameter.count * 4,
      values: parameter[part].values,
    })),
  );
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new SherryError("file_unwritable", path, {
      expected: "a place where the checkpoint can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "Check permissions and the free space",
      cause,
    });
  }
}
