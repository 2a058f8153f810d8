/**
 * Fields that change an answer and that this server does not implement: each is named here with the values that ask
 * for nothing, and any other value is refused. Ignoring one silently would hand back an answer nobody asked for.
 */

interface UnsupportedField {
  /** Values that ask for nothing; null and absence always do. */
  readonly neutral: (value: unknown) => boolean;
  /** The phrase after "expected". */
  readonly expected: string;
  readonly next_step?: string;
}

function only(...values: (string | number | boolean)[]): UnsupportedField {
  const expected = values.map((value) => JSON.stringify(value)).join(" or ");
  return { neutral: (value) => values.some((neutral) => neutral === value), expected };
}

const NOTHING: UnsupportedField = { neutral: () => false, expected: "nothing" };

const EMPTY: UnsupportedField = {
  neutral: (value) => typeof value === "object" && value !== null && Object.keys(value).length === 0,
  expected: "nothing",
};

const TEXT_FORMAT: UnsupportedField = {
  neutral: (value) => typeof value === "object" && value !== null && "type" in value && value.type === "text",
  expected: '{"type": "text"}',
};

const TEXT_MODALITY: UnsupportedField = {
  neutral: (value) => Array.isArray(value) && value.length === 1 && value[0] === "text",
  expected: '["text"]',
};

/** OpenAI's fields first, then those that llama-server and vLLM added. */
const UNSUPPORTED_FIELDS: Readonly<Record<string, UnsupportedField>> = {
  n: { ...only(1), next_step: "Send one request for each answer" },
  best_of: only(1),
  echo: only(false),
  suffix: only(""),
  logprobs: only(false),
  top_logprobs: only(0),
  logit_bias: EMPTY,
  presence_penalty: { ...only(0), next_step: "repetition_penalty is supported" },
  frequency_penalty: { ...only(0), next_step: "repetition_penalty is supported" },
  response_format: TEXT_FORMAT,
  tools: EMPTY,
  tool_choice: only("none", "auto"),
  functions: EMPTY,
  function_call: only("none", "auto"),
  modalities: TEXT_MODALITY,
  audio: NOTHING,
  web_search_options: NOTHING,
  repeat_penalty: { ...only(1), next_step: "repetition_penalty is supported" },
  typical_p: only(1),
  mirostat: only(0),
  grammar: only(""),
  json_schema: NOTHING,
  guided_json: NOTHING,
  guided_regex: NOTHING,
  guided_choice: NOTHING,
  guided_grammar: NOTHING,
  structured_outputs: NOTHING,
  min_tokens: only(0),
  ignore_eos: only(false),
  stop_token_ids: EMPTY,
};

/** The first field of `body` that asks for what is not implemented, or null. */
export function findUnsupportedField(
  body: object,
): { field: string; expected: string; next_step: string } | null {
  for (const [field, value] of Object.entries(body)) {
    if (value === null || value === undefined || !Object.hasOwn(UNSUPPORTED_FIELDS, field)) continue;
    const unsupported = UNSUPPORTED_FIELDS[field];
    if (unsupported === undefined || unsupported.neutral(value)) continue;
    const next_step = unsupported.next_step ?? "This server does not implement more";
    return { field, expected: unsupported.expected, next_step };
  }
  return null;
}
