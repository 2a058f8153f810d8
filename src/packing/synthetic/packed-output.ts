/**
 * Writes a random model as a packed file: the codes of linear layers straight from their random bytes, everything else
 * through the packer's own conversions, so that packing the same model's checkpoint gives the same tensors.
 */
import { encodeDirectory, type TensorEntry } from "../../format/directory.ts";
import { HEADER_BYTES } from "../../format/header.ts";
import {
  PART_ALIGNMENT,
  roundUp,
  type TensorDescription,
  tensorAlignment,
  tensorBytes,
} from "../../format/layout.ts";
import { type FileContents, PackedFileWriter } from "../../format/writer.ts";
import { PackingStatistics } from "../../native/packing.ts";
import type { TableKind } from "../pack-options.ts";
import { preparePlain } from "../packer.ts";
import type { Advance } from "../row-tiles.ts";
import type { SyntheticTensor } from "./checkpoint-tensors.ts";

export interface TableKinds {
  readonly embedding: TableKind;
  /** The LM head; null: as the embedding. */
  readonly head: TableKind | null;
}

export type NamedDescription = { readonly name: string } & TensorDescription;

/** How a tensor of a random model is stored. */
export function describeStored(tensor: SyntheticTensor, kinds: TableKinds): NamedDescription {
  const { name, shape, grid } = tensor;
  if (grid !== null) return { name, kind: "sherry", shape, scale: grid.scale, column_order: "natural" };
  return { name, kind: plainKind(tensor, kinds), shape, scale: null, column_order: null };
}

function plainKind(tensor: SyntheticTensor, kinds: TableKinds): TableKind {
  if (tensor.role === "norm") return "f32";
  return tensor.role === "head" ? (kinds.head ?? kinds.embedding) : kinds.embedding;
}

/**
 * @param advanceIn gives the function that hears of a tensor's progress
 * @returns the file's bytes. @throws SherryError file_unwritable, and what `advanceIn` and its results throw
 */
export async function writePackedModel(
  output: string,
  tensors: readonly SyntheticTensor[],
  kinds: TableKinds,
  contents: FileContents,
  advanceIn: (tensor: string) => Advance,
): Promise<number> {
  const writer = PackedFileWriter.create(output);
  try {
    for (const tensor of tensors) {
      const advance = advanceIn(tensor.name);
      const { grid } = tensor;
      await writer.addTensor(describeStored(tensor, kinds), (sink) =>
        grid === null
          ? preparePlain(tensor, plainKind(tensor, kinds)).write(sink, new PackingStatistics(), advance)
          : grid.write(sink, advance),
      );
    }
    return (await writer.finish(contents)).file_bytes;
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** What `writePackedModel` would write, to the byte, without making a single weight. */
export function packedFileBytes(tensors: readonly NamedDescription[], contents: FileContents): number {
  // A checksum is 64 digits whatever it is.
  const sha256 = "0".repeat(64);
  const entries: TensorEntry[] = [];
  let position = HEADER_BYTES;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    const offset = roundUp(position, tensorAlignment(bytes));
    entries.push({ ...tensor, offset, bytes, sha256 });
    position = offset + bytes;
  }
  const section = contents.tokenizer && {
    offset: roundUp(position, PART_ALIGNMENT),
    bytes: contents.tokenizer.length,
    sha256,
  };
  if (section !== null) position = section.offset + section.bytes;
  const directory = encodeDirectory({ ...contents, tokenizer: section, tensors: entries });
  return roundUp(position, PART_ALIGNMENT) + directory.length;
}
