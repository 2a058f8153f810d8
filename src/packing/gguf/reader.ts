/**
 * Opens a model in GGUF: one file, or several that belong together. Only headers are read here; tensors' bytes are read
 * by ranges, where they are needed.
 */
import { basename } from "node:path";
import { type FileSource, openFileSource } from "../../format/byte-source.ts";
import { TENSOR_COUNT_MAX } from "../../limits.ts";
import type { GgufMetadata } from "./metadata.ts";
import { type GgufTensor, readGgufPart, tensorTwice } from "./part.ts";
import { openOtherParts, type SplitPart } from "./split.ts";

/** A file, or the first of several with the tensors of all. */
export interface GgufFile {
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Closes the file or files. Safe to call twice. */
  close(): void;
}

/**
 * Opens a model by its only or first file; the others of a split model are found beside it.
 * @throws SherryError file_not_found (a part is missing, too), file_unreadable, checkpoint_invalid,
 *   checkpoint_unsupported. The caller closes the result.
 */
export function openGguf(path: string): GgufFile {
  const sources: FileSource[] = [];
  const close = () => {
    for (const source of sources) source.close();
  };
  const open = (part_path: string): SplitPart => {
    const source = openFileSource(part_path);
    sources.push(source);
    return { path: part_path, ...readGgufPart(source, basename(part_path)) };
  };
  try {
    const first = open(path);
    const tensors = new Map<string, GgufTensor>();
    for (const part of [first, ...openOtherParts(first, open)]) {
      for (const tensor of part.tensors) {
        if (tensors.has(tensor.name)) throw tensorTwice(tensor.file_name, tensor.name);
        tensors.set(tensor.name, tensor);
      }
    }
    const total = first.metadata.integer("split.tensors.count", 0, TENSOR_COUNT_MAX);
    if (total !== undefined && total !== tensors.size) {
      throw first.metadata.invalid("split.tensors.count", `${tensors.size}, the tensors of all parts`);
    }
    return { metadata: first.metadata, tensors, close };
  } catch (error) {
    close();
    throw error;
  }
}
