/**
 * The fields of OpenAI's requests as valibot schemas. A schema's message is the phrase after "expected", so that every
 * refusal reads "FIELD: expected THIS, received THAT". Null means absent everywhere, as clients send it.
 */
import * as v from "valibot";
import { STOP_STRING_COUNT_MAX, STOP_STRING_LENGTH_MAX } from "../limits.ts";

function numberBetween(minimum: number, maximum: number) {
  const expected = `a number from ${minimum} to ${maximum}`;
  return v.nullish(
    v.pipe(
      v.number(expected),
      v.check((value) => value >= minimum && value <= maximum, expected),
    ),
  );
}

function integerFrom(minimum: number) {
  const expected = `an integer of at least ${minimum}`;
  return v.nullish(
    v.pipe(
      v.number(expected),
      v.check((value) => Number.isSafeInteger(value) && value >= minimum, expected),
    ),
  );
}

const BOOLEAN = v.nullish(v.boolean("true or false"));

const STOP_STRING_EXPECTED = `a string of 1 to ${STOP_STRING_LENGTH_MAX} characters`;
const STOP_STRING = v.pipe(
  v.string(STOP_STRING_EXPECTED),
  v.check((value) => value.length >= 1 && value.length <= STOP_STRING_LENGTH_MAX, STOP_STRING_EXPECTED),
);
const STOP_EXPECTED = `a string or an array of at most ${STOP_STRING_COUNT_MAX} strings`;
const STOP = v.nullish(
  // Chosen by what came, so that an issue names the one element at fault and not the whole field.
  v.lazy((input) =>
    typeof input === "string"
      ? v.pipe(
          STOP_STRING,
          v.transform((value) => [value]),
        )
      : v.pipe(v.array(STOP_STRING, STOP_EXPECTED), v.maxLength(STOP_STRING_COUNT_MAX, STOP_EXPECTED)),
  ),
);

/** What both kinds of request have. */
const COMMON_FIELDS = {
  model: v.nullish(v.string("a string")),
  max_tokens: integerFrom(1),
  max_completion_tokens: integerFrom(1),
  temperature: numberBetween(0, 100),
  top_p: numberBetween(0, 1),
  top_k: integerFrom(0),
  min_p: numberBetween(0, 1),
  repetition_penalty: numberBetween(0.01, 100),
  seed: integerFrom(0),
  stop: STOP,
  stream: BOOLEAN,
  stream_options: v.nullish(v.object({ include_usage: BOOLEAN }, "an object")),
};

const PROMPT_EXPECTED = "one string, one array of token ids, or an array that holds one of these";
const TOKEN_IDS = v.pipe(
  v.array(
    v.pipe(
      v.number("a token id"),
      v.check((id) => Number.isSafeInteger(id) && id >= 0, "a token id"),
    ),
    PROMPT_EXPECTED,
  ),
  v.nonEmpty("at least one token id"),
);
const ONE_PROMPT = v.lazy((input) =>
  typeof input === "string" ? v.string(PROMPT_EXPECTED) : TOKEN_IDS,
) satisfies v.GenericSchema;

/** A string, or token ids, or an array that wraps one of them. */
const PROMPT = v.lazy((input) => {
  const is_wrapped = Array.isArray(input) && (typeof input[0] === "string" || Array.isArray(input[0]));
  if (!is_wrapped) return ONE_PROMPT;
  return v.pipe(
    v.custom<unknown[]>((value) => Array.isArray(value) && value.length === 1, PROMPT_EXPECTED),
    v.transform((value) => value[0]),
    ONE_PROMPT,
  );
});

const TEXT_PART = v.object(
  {
    type: v.literal("text", '"text", the only kind of content this server reads'),
    text: v.string("a string"),
  },
  'an object like {"type": "text", "text": "…"}',
);

/** Several parts become lines of one text, since a chat template takes one string a message. */
const CONTENT = v.lazy((input) =>
  Array.isArray(input)
    ? v.pipe(
        v.array(TEXT_PART),
        v.transform((parts) => parts.map((part) => part.text).join("\n")),
      )
    : v.string("a string or an array of text parts"),
);

const NOT_SUPPORTED = v.nullish(
  v.custom<never>((value) => Array.isArray(value) && value.length === 0, "nothing: tools are not supported"),
);

const MESSAGE = v.object(
  {
    role: v.pipe(
      v.picklist(
        ["system", "developer", "user", "assistant"],
        '"system", "developer", "user" or "assistant"',
      ),
      // OpenAI's newer name for the same role; chat templates know the older one.
      v.transform((role) => (role === "developer" ? "system" : role)),
    ),
    content: CONTENT,
    tool_calls: NOT_SUPPORTED,
    function_call: NOT_SUPPORTED,
  },
  'an object like {"role": "user", "content": "…"}',
);

export const COMPLETION_FIELDS = v.object({ ...COMMON_FIELDS, prompt: PROMPT }, "a JSON object");

export const CHAT_FIELDS = v.object(
  {
    ...COMMON_FIELDS,
    messages: v.pipe(v.array(MESSAGE, "an array of messages"), v.nonEmpty("at least one message")),
  },
  "a JSON object",
);
