/**
 * How byte-level BPE cuts a text before it counts pairs: GPT-2's pattern, then every byte of a piece as one printable
 * character. Merges never cross a piece's border, so this must be exactly what encoding does later.
 * Source: Radford et al. 2019 (GPT-2, encoder.py: pat and bytes_to_unicode).
 */

export const BYTE_COUNT = 256;

/** Contractions, words, numbers and other signs, each with the space before it, then what blanks are left. */
const PIECE = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Index: byte; value: the character that stands for it. Printable Latin-1 characters stand for themselves. */
export const BYTE_ALPHABET: readonly string[] = (() => {
  let next_substitute = BYTE_COUNT;
  return Array.from({ length: BYTE_COUNT }, (_, byte) => {
    const is_printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCharCode(is_printable ? byte : next_substitute++);
  });
})();

/** The pieces of a text in order; together they are the text. */
export function splitPieces(text: string): string[] {
  return text.match(PIECE) ?? [];
}

/**
 * The pieces of texts and how often each occurs.
 * @param special_tokens texts that stand for themselves: what lies on either side of one is counted apart
 */
export function countPieces(
  texts: Iterable<string>,
  special_tokens: readonly string[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const part of splitAt(text, special_tokens)) {
      for (const piece of splitPieces(part)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  return counts;
}

function splitAt(text: string, separators: readonly string[]): readonly string[] {
  return separators.reduce<readonly string[]>(
    (parts, separator) => parts.flatMap((part) => part.split(separator)),
    [text],
  );
}
