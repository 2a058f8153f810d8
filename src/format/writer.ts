/**
 * Writes a packed file as a stream: tensors in the order they come, then the tokenizer, then the directory, and the header
 * last. All of it goes into a file beside the target, which takes the target's place by one rename when it is whole; a
 * killed writer leaves the old target, or none.
 */
import { SherryError } from "../errors.ts";
import { TENSOR_COUNT_MAX, TOKENIZER_BYTES_MAX } from "../limits.ts";
import {
  type Directory,
  encodeDirectory,
  parseDirectory,
  type Section,
  type TensorEntry,
} from "./directory.ts";
import { encodeHeader, HEADER_BYTES, sha256Hex } from "./header.ts";
import { PART_ALIGNMENT, roundUp, type TensorDescription, tensorAlignment, tensorBytes } from "./layout.ts";
import { PartialFile } from "./partial-file.ts";

/** What `finish` needs beside the tensors. `tokenizer` holds tokenizer.json's bytes. */
export type FileContents = Omit<Directory, "tensors" | "tokenizer"> & {
  readonly tokenizer: Uint8Array | null;
};

/** Takes the next bytes of a tensor; they may be reused as soon as it returns. */
export type TensorSink = (bytes: Uint8Array) => void;

/** One file being written. After an error it is spent: the partial file is gone and every further call is refused. */
export class PackedFileWriter {
  readonly #file: PartialFile;
  readonly #tensors: TensorEntry[] = [];
  readonly #names = new Set<string>();
  #state: "open" | "busy" | "spent" = "open";
  #position = HEADER_BYTES;

  private constructor(file: PartialFile) {
    this.#file = file;
  }

  /**
   * Opens `<target>.<process id>.partial`. The target itself is not touched before `finish`.
   * @throws SherryError file_unwritable
   */
  static create(target_path: string): PackedFileWriter {
    return new PackedFileWriter(PartialFile.create(target_path));
  }

  /**
   * Adds one tensor; `write` hands its bytes to the sink in order, in pieces of any size.
   * @throws SherryError argument_invalid when the name was used before, the description is impossible, or `write` gives
   *   more or fewer bytes than the layout has; file_unwritable; and whatever `write` throws.
   */
  async addTensor(
    tensor: { readonly name: string } & TensorDescription,
    write: (sink: TensorSink) => void | Promise<void>,
  ): Promise<TensorEntry> {
    return this.#exclusively(async () => {
      const { name, kind, shape, scale, column_order } = tensor;
      this.#checkName(name);
      const bytes = tensorBytes(tensor);
      const offset = this.#padTo(tensorAlignment(bytes));
      const hasher = new Bun.CryptoHasher("sha256");
      let written = 0;
      const checkCount = (count: number, right: boolean) => {
        if (right) return;
        throw new SherryError("argument_invalid", `the bytes of tensor ${name}`, {
          expected: `${bytes} for ${kind} [${shape.join(", ")}]`,
          received: written + count > bytes ? `at least ${written + count}` : String(written + count),
        });
      };
      await write((piece) => {
        checkCount(piece.length, piece.length <= bytes - written);
        hasher.update(piece);
        this.#file.write(piece, offset + written);
        written += piece.length;
      });
      checkCount(0, written === bytes);
      this.#position = offset + bytes;
      const sha256 = hasher.digest("hex");
      const entry = { name, kind, shape, offset, bytes, sha256, scale, column_order };
      this.#tensors.push(entry);
      this.#names.add(name);
      return entry;
    }, "open");
  }

  /**
   * Writes what is left and puts the file in the target's place.
   * @throws SherryError argument_invalid when the contents do not fit the format; file_unwritable.
   */
  async finish(contents: FileContents): Promise<{ file_bytes: number }> {
    return this.#exclusively(async () => {
      const tokenizer = this.#addTokenizer(contents.tokenizer);
      const directory_bytes = encodeDirectory({ ...contents, tokenizer, tensors: this.#tensors });
      // What the reader would refuse is refused here, before it costs somebody a file.
      parseDirectory(directory_bytes, "argument_invalid");
      const directory_offset = this.#padTo(PART_ALIGNMENT);
      this.#file.write(directory_bytes, directory_offset);
      const file_bytes = directory_offset + directory_bytes.length;
      const header = encodeHeader({
        file_bytes,
        directory_offset,
        directory_bytes: directory_bytes.length,
        directory_sha256: sha256Hex(directory_bytes),
      });
      this.#file.commit(header);
      return { file_bytes };
    }, "spent");
  }

  /** Gives up and removes the partial file. Safe to call at any time; after `finish` it does nothing. */
  abort(): void {
    this.#state = "spent";
    this.#file.discard();
  }

  async #exclusively<T>(work: () => Promise<T>, next_state: "open" | "spent"): Promise<T> {
    if (this.#state !== "open") {
      throw new SherryError("argument_invalid", "the writer", {
        expected: "one call at a time, and none after finish, abort or an error",
        received: this.#state === "busy" ? "a call during another one" : "a call after its end",
      });
    }
    this.#state = "busy";
    try {
      const result = await work();
      // abort() may have come while `work` waited.
      if (this.#state === "busy") this.#state = next_state;
      return result;
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  #checkName(name: string): void {
    if (this.#names.has(name)) {
      throw new SherryError("argument_invalid", "tensor names", {
        expected: "each name once",
        received: name,
      });
    }
    if (this.#tensors.length >= TENSOR_COUNT_MAX) {
      throw new SherryError("argument_invalid", "the number of tensors", {
        expected: `at most ${TENSOR_COUNT_MAX}`,
        received: "more",
      });
    }
  }

  #addTokenizer(tokenizer: Uint8Array | null): Section | null {
    if (tokenizer === null) return null;
    if (tokenizer.length === 0 || tokenizer.length > TOKENIZER_BYTES_MAX) {
      throw new SherryError("argument_invalid", "the tokenizer", {
        expected: `1 to ${TOKENIZER_BYTES_MAX} bytes`,
        received: `${tokenizer.length} bytes`,
      });
    }
    const offset = this.#padTo(PART_ALIGNMENT);
    this.#file.write(tokenizer, offset);
    this.#position = offset + tokenizer.length;
    return { offset, bytes: tokenizer.length, sha256: sha256Hex(tokenizer) };
  }

  /** Moves on to a multiple of `alignment`. The bytes left out stay zero: a file grows by zeros. */
  #padTo(alignment: number): number {
    this.#position = roundUp(this.#position, alignment);
    return this.#position;
  }
}
