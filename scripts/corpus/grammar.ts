/** Small English grammar: articles, and the smoothing of what filled sentences leave behind. */

/** Begin with a vowel's letter but a consonant's sound, or the other way round. */
const SOUNDS_LIKE_CONSONANT = /^(?:uni|use|usu|one\b|once|eu)/i;
const SOUNDS_LIKE_VOWEL = /^(?:hour|honest|honou?r|heir)/i;

export function indefiniteArticle(word: string): "a" | "an" {
  if (SOUNDS_LIKE_VOWEL.test(word)) return "an";
  return /^[aeiou]/i.test(word) && !SOUNDS_LIKE_CONSONANT.test(word) ? "an" : "a";
}

/** "a red kite", "an old hat". */
export function withArticle(phrase: string): string {
  return `${indefiniteArticle(phrase)} ${phrase}`;
}

/** "under a fern" told again: "under the fern". */
export function withDefiniteArticle(phrase: string): string {
  return phrase.replace(/\b(?:a|an)\b/, "the");
}

/**
 * Every "a" before a vowel's sound becomes "an", sentences begin with capitals, a question in speech keeps its
 * own mark alone, speech that goes on has its comma, and blanks that choices left are closed up.
 */
export function smooth(text: string): string {
  return text
    .replace(/\b(a|A) (?=[a-z])(\w+)/g, (_, article: string, word: string) =>
      indefiniteArticle(word) === "an" ? `${article}n ${word}` : `${article} ${word}`,
    )
    .replace(/([!?])[!.](?!\.)/g, "$1")
    .replace(/([A-Za-z])\.?" (?=[a-z])/g, '$1," ')
    .replace(/([A-Za-z])"\./g, '$1."')
    .replace(/([.!?]),"/g, '$1"')
    .replace(
      /(?<=(?:^|[.!?]|\n) *)("?)([a-z])/g,
      (_, quote: string, letter: string) => quote + letter.toUpperCase(),
    )
    .replace(/(?<=[.!?]" ")[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/ {2,}/g, " ")
    .replace(/ +(?=[.,!?;\n])/g, "")
    .replace(/(?<=\n) +/g, "")
    .trim();
}
