/**
 * Models in several GGUF files: "NAME-00001-of-00003.gguf" and so on, of which the first carries the metadata.
 * Source: llama.cpp's gguf-split (key names, file names, counting from 0 inside and from 1 in the names).
 */
import { SherryError } from "../../errors.ts";
import { GGUF_SPLIT_COUNT_MAX } from "./limits.ts";
import type { GgufPart } from "./part.ts";
import { invalid } from "./refusals.ts";

export interface SplitPart extends GgufPart {
  readonly path: string;
}

const NAME_PATTERN = /^(.*)-([0-9]{5})-of-([0-9]{5})\.gguf$/s;

/**
 * The parts behind the first one, in order; none when the model is one file.
 * @param open opens a file of the model
 * @throws SherryError file_not_found when one is missing; checkpoint_invalid when names and contents disagree
 */
export function openOtherParts(first: SplitPart, open: (path: string) => SplitPart): SplitPart[] {
  const count = splitCount(first);
  if (count <= 1) return [];
  const [, prefix, , name_count] = NAME_PATTERN.exec(first.path) ?? [];
  if (prefix === undefined || Number(name_count) !== count) {
    throw invalid(
      first.path,
      `the name NAME-00001-of-${padded(count)}.gguf, as split.count says`,
      "another name",
    );
  }
  const number = splitNumber(first);
  if (number !== 0) {
    throw new SherryError("checkpoint_invalid", first.path, {
      expected: `the first of ${count} files`,
      received: `the one with split.no ${number}`,
      next_step: `Name ${partPath(prefix, 0, count)}`,
    });
  }
  return Array.from({ length: count - 1 }, (_, index) => openPart(prefix, index + 1, count, open));
}

function openPart(
  prefix: string,
  number: number,
  count: number,
  open: (path: string) => SplitPart,
): SplitPart {
  const path = partPath(prefix, number, count);
  let part: SplitPart;
  try {
    part = open(path);
  } catch (cause) {
    if (!(cause instanceof SherryError) || cause.code !== "file_not_found") throw cause;
    throw new SherryError("file_not_found", path, {
      expected: `part ${number + 1} of ${count} beside the first one`,
      received: "no such file",
      next_step: "Download all parts into one folder",
      cause,
    });
  }
  if (splitCount(part) === count && splitNumber(part) === number) return part;
  throw invalid(
    path,
    `split.no ${number} and split.count ${count}`,
    `${splitNumber(part)} and ${splitCount(part)}`,
  );
}

function splitCount(part: GgufPart): number {
  return part.metadata.integer("split.count", 0, GGUF_SPLIT_COUNT_MAX) ?? 0;
}

function splitNumber(part: GgufPart): number {
  return part.metadata.integer("split.no", 0, GGUF_SPLIT_COUNT_MAX) ?? 0;
}

function partPath(prefix: string, number: number, count: number): string {
  return `${prefix}-${padded(number + 1)}-of-${padded(count)}.gguf`;
}

function padded(number: number): string {
  return String(number).padStart(5, "0");
}
