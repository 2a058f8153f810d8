/**
 * Request bodies, from unknown JSON to what the model is asked: fields checked, unknown ones tolerated, unsupported
 * ones refused by name.
 */
import * as v from "valibot";
import type { GenerateOptions, ModelInfo, Prompt } from "../generation/types.ts";
import { ApiError } from "./api-error.ts";
import { CHAT_FIELDS, COMPLETION_FIELDS } from "./request-fields.ts";
import { findUnsupportedField } from "./unsupported-fields.ts";

/** What OpenAI documents for /v1/completions. A chat goes on until its end or until the context is full. */
const COMPLETION_MAX_TOKENS_DEFAULT = 16;

/** What either endpoint asks for, once checked. */
export interface ServedRequest {
  readonly prompt: Prompt;
  readonly options: GenerateOptions;
  readonly stream: boolean;
  readonly include_usage: boolean;
}

/** @throws ApiError 400 naming the field, 404 for another model. */
export function parseCompletionRequest(body: unknown, info: ModelInfo): ServedRequest {
  const fields = parseFields(COMPLETION_FIELDS, body);
  checkModel(fields.model, info);
  return { prompt: promptOf(fields.prompt, info), ...commonOf(fields, COMPLETION_MAX_TOKENS_DEFAULT) };
}

/** @throws ApiError 400 naming the field, 404 for another model. */
export function parseChatRequest(body: unknown, info: ModelInfo): ServedRequest {
  const fields = parseFields(CHAT_FIELDS, body);
  checkModel(fields.model, info);
  const messages = fields.messages.map(({ role, content }) => ({ role, content }));
  return { prompt: { messages }, ...commonOf(fields, null) };
}

function parseFields<Schema extends v.GenericSchema>(schema: Schema, body: unknown): v.InferOutput<Schema> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw refusal(null, "a JSON object", body);
  }
  const unsupported = findUnsupportedField(body);
  if (unsupported !== null) {
    const { field, expected, next_step } = unsupported;
    throw refusal(field, expected, Reflect.get(body, field), next_step, "unsupported_parameter");
  }
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw refusal(fieldPath(issue), expectedBy(issue), issue.input);
}

/** A missing field has valibot's own words, since no schema of ours was reached. */
function expectedBy(issue: v.BaseIssue<unknown>): string {
  return issue.input === undefined && issue.type === "object" ? "a value" : issue.message;
}

function fieldPath(issue: v.BaseIssue<unknown>): string | null {
  if (issue.path === undefined) return null;
  return issue.path
    .map((item, depth) =>
      typeof item.key === "number"
        ? `[${item.key}]`
        : depth === 0
          ? String(item.key)
          : `.${String(item.key)}`,
    )
    .join("");
}

function checkModel(model: string | null | undefined, info: ModelInfo): void {
  if (model !== null && model !== undefined && model !== info.id) throw unknownModel(model, info);
}

export function unknownModel(model: string, info: ModelInfo): ApiError {
  const message = `model: expected ${JSON.stringify(info.id)}, received ${show(model)}. GET /v1/models lists what is served`;
  return new ApiError(404, "model_not_found", message, { param: "model" });
}

function promptOf(prompt: string | number[], info: ModelInfo): Prompt {
  if (typeof prompt === "string") return { text: prompt };
  const outside = prompt.findIndex((id) => id >= info.vocab_size);
  if (outside !== -1) {
    throw refusal("prompt", `token ids below ${info.vocab_size}`, prompt[outside]);
  }
  return { token_ids: prompt };
}

type CommonFields = Omit<v.InferOutput<typeof CHAT_FIELDS>, "messages">;

function commonOf(fields: CommonFields, max_tokens_default: number | null): Omit<ServedRequest, "prompt"> {
  const { max_tokens, max_completion_tokens } = fields;
  if (isGiven(max_tokens) && isGiven(max_completion_tokens) && max_tokens !== max_completion_tokens) {
    throw refusal(
      "max_tokens",
      `${max_completion_tokens}, as max_completion_tokens has it`,
      max_tokens,
      "Send one of the two",
    );
  }
  const options = withoutAbsent({
    max_tokens: max_completion_tokens ?? max_tokens ?? max_tokens_default,
    temperature: fields.temperature,
    top_p: fields.top_p,
    top_k: fields.top_k,
    min_p: fields.min_p,
    repetition_penalty: fields.repetition_penalty,
    seed: fields.seed,
    stop: fields.stop,
  });
  return {
    options,
    stream: fields.stream ?? false,
    include_usage: fields.stream_options?.include_usage ?? false,
  };
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

function withoutAbsent<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const given = Object.entries(fields).filter(([, value]) => isGiven(value));
  return Object.fromEntries(given) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}

function refusal(
  field: string | null,
  expected: string,
  received: unknown,
  next_step?: string,
  code = "argument_invalid",
): ApiError {
  const sentence = `${field ?? "The body"}: expected ${expected}, received ${show(received)}`;
  const message = next_step === undefined ? sentence : `${sentence}. ${next_step}`;
  return new ApiError(400, code, message, { param: field });
}

/** A value as a message may repeat it: never long, never walked into (a client can nest without end). */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
