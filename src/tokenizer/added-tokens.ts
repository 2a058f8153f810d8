/**
 * Tokens beside the model's own vocabulary: chat markers, BOS, end tokens. tokenizer.json lists them; as transformers
 * does, those that only tokenizer_config.json knows join them. Without that, a chat template's markers would be spelled
 * out as plain text and the model would not know them.
 * Source: transformers, tokenization_utils_fast.py (PreTrainedTokenizerFast.__init__).
 */
import { SherryError } from "../errors.ts";
import { TENSOR_DIMENSION_MAX } from "../limits.ts";
import { describeJson, isRecord } from "./json.ts";
import { readSpecialTokens } from "./special-tokens.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly normalized?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/**
 * @param list `added_tokens` of tokenizer.json
 * @param vocab the model's token texts and ids
 * @throws SherryError tokenizer_invalid | tokenizer_unsupported
 */
export function readAddedTokens(
  list: unknown,
  tokenizer_config: Readonly<Record<string, unknown>>,
  vocab: ReadonlyMap<string, number>,
): AddedToken[] {
  const collected = new Collected(vocab);
  if (!Array.isArray(list)) throw invalid("tokenizer.json: added_tokens", "a list", describeJson(list));
  for (const [index, token] of list.entries()) {
    collected.add(readToken(`tokenizer.json: added_tokens[${index}]`, token, null));
  }
  const configured = tokenizer_config["added_tokens_decoder"] ?? {};
  if (!isRecord(configured)) {
    throw invalid("tokenizer_config.json: added_tokens_decoder", "an object", describeJson(configured));
  }
  for (const [key, token] of Object.entries(configured)) {
    const read = readToken(`tokenizer_config.json: added_tokens_decoder[${JSON.stringify(key)}]`, token, key);
    if (!collected.has(read.content)) collected.add({ ...read, id: vocab.get(read.content) ?? read.id });
  }
  const special = readSpecialTokens(tokenizer_config);
  for (const content of [...Object.values(special.named), ...special.additional]) {
    const id = vocab.get(content);
    // A special token outside the vocabulary has no embedding either; the model can neither read nor write it.
    if (id === undefined || collected.has(content)) continue;
    collected.add({ id, content, special: true, normalized: false });
  }
  return collected.tokens;
}

/** The tokens so far, each id with one text. */
class Collected {
  readonly tokens: AddedToken[] = [];
  readonly #text_of_id = new Map<number, string>();
  readonly #contents = new Set<string>();

  constructor(vocab: ReadonlyMap<string, number>) {
    for (const [text, id] of vocab) this.#text_of_id.set(id, text);
  }

  has(content: string): boolean {
    return this.#contents.has(content);
  }

  add(token: AddedToken): void {
    const owner = this.#text_of_id.get(token.id);
    if (owner !== undefined && owner !== token.content) {
      throw invalid(
        `added token ${JSON.stringify(token.content)}`,
        "an id of its own",
        `${token.id}, which is ${JSON.stringify(owner)}`,
      );
    }
    this.#text_of_id.set(token.id, token.content);
    this.#contents.add(token.content);
    this.tokens.push(token);
  }
}

/** @param key the id where the file has it as the member's name, else null */
function readToken(place: string, token: unknown, key: string | null): AddedToken {
  if (!isRecord(token)) throw invalid(place, "an object", describeJson(token));
  const { content, id, special, normalized, lstrip, rstrip, single_word } = token;
  if (typeof content !== "string" || content === "") {
    throw invalid(`${place}.content`, "a text that is not empty", describeJson(content));
  }
  if (single_word === true) {
    // The library would find the token inside words as well.
    throw new SherryError("tokenizer_unsupported", `${place}.single_word`, {
      expected: "false",
      received: `true for ${JSON.stringify(content)}`,
      next_step: "This tokenizer would give wrong ids here; use a checkpoint with another one",
    });
  }
  return {
    id: checkTokenId(place, key === null ? id : Number(key)),
    content: checkTokenText(place, content),
    special: special === true,
    ...(typeof normalized === "boolean" ? { normalized } : {}),
    lstrip: lstrip === true,
    rstrip: rstrip === true,
  };
}

export function checkTokenText(place: string, text: string): string {
  // Half a surrogate pair is no character: it could be emitted only as damage.
  if (!text.isWellFormed()) throw invalid(place, "texts of whole characters", JSON.stringify(text));
  return text;
}

export function checkTokenId(place: string, id: unknown): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < TENSOR_DIMENSION_MAX) return id;
  throw invalid(place, `ids from 0 to ${TENSOR_DIMENSION_MAX - 1}`, describeJson(id));
}

function invalid(place: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_invalid", place, { expected, received });
}
