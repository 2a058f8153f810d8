/** What a file from outside says, made short and safe for a terminal or a log. */

const EXCERPT_LENGTH_MAX = 120;
const ITEMS_SHOWN_MAX = 8;

/** `text` without control or non-ASCII characters, cut where it gets long. */
export function excerpt(text: string): string {
  const safe = text.slice(0, EXCERPT_LENGTH_MAX).replace(/[^\x20-\x7e]/g, "?");
  return text.length > EXCERPT_LENGTH_MAX ? `${safe}...` : safe;
}

/** A value of a JSON file as a message shows it; looks no deeper than one array. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) {
    const plain =
      value.length <= ITEMS_SHOWN_MAX && value.every((item) => typeof item !== "object" || item === null);
    return plain ? excerpt(JSON.stringify(value)) : `an array of ${value.length}`;
  }
  if (typeof value === "object" && value !== null) return "an object";
  return excerpt(JSON.stringify(value));
}
