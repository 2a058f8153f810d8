/**
 * What a tokenizer needs from a GGUF file's metadata. The packer's reader gives it; here it is only described, because
 * the tokenizer stands below the packer.
 */

/** Each method gives undefined for a key that the file does not have and throws SherryError for one of another type. */
export interface TokenizerMetadata {
  text(key: string): string | undefined;
  boolean(key: string): boolean | undefined;
  integer(key: string, minimum: number, maximum: number): number | undefined;
  texts(key: string): readonly string[] | undefined;
  numbers(key: string): ArrayLike<number> | undefined;
}

/** A key of the tokenizer's part of the metadata. */
export function tokenizerKey(name: string): string {
  return `tokenizer.ggml.${name}`;
}
