/**
 * Special tokens as tokenizer_config.json names them. Hugging Face writes each as a plain string or as an object with
 * `content`; both forms become strings here.
 * Source: transformers, tokenization_utils_base.py (SpecialTokensMixin).
 */
import { SherryError } from "../errors.ts";
import { describeJson, isRecord } from "./json.ts";

const NAMES = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

export interface SpecialTokens {
  /** By name, e.g. { bos_token: "<s>" }; tokens that the file leaves out or sets to null are absent. */
  readonly named: Readonly<Record<string, string>>;
  readonly additional: readonly string[];
}

/** @throws SherryError tokenizer_invalid when a token is neither text nor an object with a text `content`. */
export function readSpecialTokens(tokenizer_config: Readonly<Record<string, unknown>>): SpecialTokens {
  const named: Record<string, string> = {};
  for (const name of NAMES) {
    const token = tokenizer_config[name];
    if (token !== undefined && token !== null) named[name] = contentOf(name, token);
  }
  const list = tokenizer_config["additional_special_tokens"] ?? [];
  if (!Array.isArray(list)) {
    throw new SherryError("tokenizer_invalid", "tokenizer_config.json: additional_special_tokens", {
      expected: "a list of tokens",
      received: describeJson(list),
    });
  }
  const additional = list.map((token, index) => contentOf(`additional_special_tokens[${index}]`, token));
  return { named, additional };
}

function contentOf(name: string, token: unknown): string {
  if (typeof token === "string") return token;
  if (isRecord(token) && typeof token["content"] === "string") return token["content"];
  throw new SherryError("tokenizer_invalid", `tokenizer_config.json: ${name}`, {
    expected: "text, or an object with a text content",
    received: describeJson(token),
  });
}
