/** Request bodies: what is tolerated, what is refused, and with which words. */
import { describe, expect, test } from "bun:test";
import { ApiError } from "../../src/server/api-error.ts";
import { parseChatRequest, parseCompletionRequest } from "../../src/server/schemas.ts";
import { FakeModel } from "./fake-model.ts";

const { info } = new FakeModel();
const USER_SAYS_HI = { messages: [{ role: "user", content: "hi" }] };

const completion = (fields: object) => parseCompletionRequest({ prompt: "hi", ...fields }, info);
const chat = (fields: object) => parseChatRequest({ ...USER_SAYS_HI, ...fields }, info);

function refusalOf(parse: () => unknown) {
  try {
    parse();
  } catch (error) {
    if (error instanceof ApiError) {
      return { status: error.status, code: error.code, param: error.param, message: error.message };
    }
    throw error;
  }
  throw new Error("expected a refusal");
}

function refused(parse: () => unknown, param: string | null, message: string, code = "argument_invalid") {
  expect(refusalOf(parse)).toEqual({ status: 400, code, param, message });
}

describe("prompts", () => {
  test("text, token ids, and an array around either", () => {
    expect(completion({ prompt: "" }).prompt).toEqual({ text: "" });
    expect(completion({ prompt: ["hi"] }).prompt).toEqual({ text: "hi" });
    expect(completion({ prompt: [0, 511] }).prompt).toEqual({ token_ids: [0, 511] });
    expect(completion({ prompt: [[1, 2]] }).prompt).toEqual({ token_ids: [1, 2] });
  });

  test("anything else names the prompt", () => {
    const expected = "one string, one array of token ids, or an array that holds one of these";
    const cases: [unknown, string, string][] = [
      [null, "prompt", `prompt: expected ${expected}, received null`],
      [3, "prompt", `prompt: expected ${expected}, received 3`],
      [{}, "prompt", `prompt: expected ${expected}, received an object`],
      [["a", "b"], "prompt", `prompt: expected ${expected}, received an array of 2`],
      [[[1], [2]], "prompt", `prompt: expected ${expected}, received an array of 2`],
      [["a", 1], "prompt", `prompt: expected ${expected}, received an array of 2`],
      [[], "prompt", "prompt: expected at least one token id, received an array of 0"],
      [[1, -1], "prompt[1]", "prompt[1]: expected a token id, received -1"],
      [[1.5], "prompt[0]", "prompt[0]: expected a token id, received 1.5"],
      [[1, 512], "prompt", "prompt: expected token ids below 512, received 512"],
    ];
    for (const [prompt, param, message] of cases) refused(() => completion({ prompt }), param, message);
    refused(() => parseCompletionRequest({}, info), "prompt", "prompt: expected a value, received nothing");
  });
});

describe("messages", () => {
  const withMessage = (message: unknown) => () => parseChatRequest({ messages: [message] }, info);

  test("developer is system, text parts are lines, unknown fields are tolerated", () => {
    const { prompt } = parseChatRequest(
      {
        messages: [
          { role: "developer", content: "be brief", name: "x" },
          {
            role: "user",
            content: [
              { type: "text", text: "a", cache_control: {} },
              { type: "text", text: "b" },
            ],
          },
          { role: "assistant", content: "c", tool_calls: null, refusal: null },
          { role: "user", content: [] },
        ],
      },
      info,
    );
    expect(prompt).toEqual({
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "a\nb" },
        { role: "assistant", content: "c" },
        { role: "user", content: "" },
      ],
    });
  });

  test("anything else names its place", () => {
    const role = 'messages[0].role: expected "system", "developer", "user" or "assistant", received';
    const object = 'messages[0]: expected an object like {"role": "user", "content": "…"}, received';
    const part =
      'messages[0].content[1]: expected an object like {"type": "text", "text": "…"}, received "b"';
    refused(() => parseChatRequest({}, info), "messages", "messages: expected a value, received nothing");
    refused(
      () => parseChatRequest({ messages: [] }, info),
      "messages",
      "messages: expected at least one message, received an array of 0",
    );
    refused(withMessage("hi"), "messages[0]", `${object} "hi"`);
    refused(withMessage({ role: "tool", content: "x" }), "messages[0].role", `${role} "tool"`);
    refused(
      withMessage({ role: "user", content: null }),
      "messages[0].content",
      "messages[0].content: expected a string or an array of text parts, received null",
    );
    refused(
      withMessage({ role: "user", content: [{ type: "text", text: "a" }, "b"] }),
      "messages[0].content[1]",
      part,
    );
    for (const type of ["image_url", "input_audio", "file"]) {
      refused(
        withMessage({ role: "user", content: [{ type }] }),
        "messages[0].content[0].type",
        `messages[0].content[0].type: expected "text", the only kind of content this server reads, received "${type}"`,
      );
    }
    refused(
      withMessage({ role: "assistant", content: "x", tool_calls: [{}] }),
      "messages[0].tool_calls",
      "messages[0].tool_calls: expected nothing: tools are not supported, received an array of 1",
    );
  });
});

describe("options", () => {
  test("all of them reach the model under their own names", () => {
    const options = {
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      min_p: 0.05,
      repetition_penalty: 1.1,
      seed: 42,
      stop: ["a", "b"],
    };
    expect(chat({ ...options, max_completion_tokens: 9 }).options).toEqual({ ...options, max_tokens: 9 });
    expect(completion({ ...options, stop: "a" }).options).toEqual({
      ...options,
      stop: ["a"],
      max_tokens: 16,
    });
    expect(completion({ max_tokens: 3, max_completion_tokens: 3 }).options).toEqual({ max_tokens: 3 });
  });

  test("null is absent, and unknown fields are tolerated", () => {
    const nulls = {
      model: null,
      max_tokens: null,
      max_completion_tokens: null,
      temperature: null,
      top_p: null,
      top_k: null,
      min_p: null,
      repetition_penalty: null,
      seed: null,
      stop: null,
      stream: null,
      stream_options: null,
      n: null,
      tools: null,
      logit_bias: null,
      response_format: null,
    };
    const parsed = chat({ ...nulls, user: "someone", store: false, toString: 1, __proto__: { n: 2 } });
    expect(parsed).toEqual({ prompt: USER_SAYS_HI, options: {}, stream: false, include_usage: false });
    expect(chat({ stream: true, stream_options: { include_usage: null } }).include_usage).toBe(false);
    expect(chat({ stream: true, stream_options: { include_usage: true } }).include_usage).toBe(true);
  });

  test("what is out of range or of another type is refused by name", () => {
    const cases: [string, unknown, string][] = [
      ["temperature", 101, "a number from 0 to 100, received 101"],
      ["temperature", "hot", 'a number from 0 to 100, received "hot"'],
      ["top_p", -0.1, "a number from 0 to 1, received -0.1"],
      ["min_p", 2, "a number from 0 to 1, received 2"],
      ["top_k", 1.5, "an integer of at least 0, received 1.5"],
      ["repetition_penalty", 0, "a number from 0.01 to 100, received 0"],
      ["seed", -1, "an integer of at least 0, received -1"],
      ["max_tokens", 0, "an integer of at least 1, received 0"],
      ["max_completion_tokens", 1e300, "an integer of at least 1, received 1e+300"],
      ["stream", "yes", 'true or false, received "yes"'],
      ["stream_options", "yes", 'an object, received "yes"'],
      ["model", 3, "a string, received 3"],
      ["stop", 3, "a string or an array of at most 16 strings, received 3"],
      ["stop", "", 'a string of 1 to 1024 characters, received ""'],
      ["stop", Array(17).fill("a"), "a string or an array of at most 16 strings, received an array of 17"],
    ];
    for (const [field, value, rest] of cases) {
      refused(() => chat({ [field]: value }), field, `${field}: expected ${rest}`);
      refused(() => completion({ [field]: value }), field, `${field}: expected ${rest}`);
    }
    refused(
      () => chat({ stop: ["a", 3] }),
      "stop[1]",
      "stop[1]: expected a string of 1 to 1024 characters, received 3",
    );
    refused(
      () => chat({ max_tokens: 1, max_completion_tokens: 2 }),
      "max_tokens",
      "max_tokens: expected 2, as max_completion_tokens has it, received 1. Send one of the two",
    );
  });

  test("a long value is cut where a message repeats it", () => {
    const { message } = refusalOf(() => chat({ temperature: "x".repeat(10_000) }));
    expect(message.length).toBeLessThan(150);
    expect(message).toEndWith("…");
  });

  test("a body that is no object is refused", () => {
    for (const [body, received] of [
      [[], "an array of 0"],
      ["x", '"x"'],
      [null, "null"],
      [3, "3"],
    ]) {
      const message = `The body: expected a JSON object, received ${received}`;
      refused(() => parseChatRequest(body, info), null, message);
      refused(() => parseCompletionRequest(body, info), null, message);
    }
  });

  test("another model is 404", () => {
    expect(refusalOf(() => chat({ model: "gpt-5" }))).toMatchObject({ status: 404, param: "model" });
    expect(chat({ model: info.id }).prompt).toEqual(USER_SAYS_HI);
  });
});

describe("fields that are not implemented", () => {
  const REFUSED: [string, unknown, string][] = [
    ["n", 2, "1, received 2. Send one request for each answer"],
    ["best_of", 2, "1, received 2. This server does not implement more"],
    ["echo", true, "false, received true. This server does not implement more"],
    ["suffix", "end", '"", received "end". This server does not implement more'],
    ["logprobs", true, "false, received true. This server does not implement more"],
    ["logprobs", 0, "false, received 0. This server does not implement more"],
    ["top_logprobs", 5, "0, received 5. This server does not implement more"],
    ["logit_bias", { 1: 2 }, "nothing, received an object. This server does not implement more"],
    ["presence_penalty", 0.5, "0, received 0.5. repetition_penalty is supported"],
    ["frequency_penalty", -1, "0, received -1. repetition_penalty is supported"],
    ["repeat_penalty", 1.1, "1, received 1.1. repetition_penalty is supported"],
    [
      "response_format",
      { type: "json_object" },
      '{"type": "text"}, received an object. This server does not implement more',
    ],
    ["tools", [{ type: "function" }], "nothing, received an array of 1. This server does not implement more"],
    ["tool_choice", "required", '"none" or "auto", received "required". This server does not implement more'],
    ["functions", [{}], "nothing, received an array of 1. This server does not implement more"],
    [
      "modalities",
      ["text", "audio"],
      '["text"], received an array of 2. This server does not implement more',
    ],
    ["audio", {}, "nothing, received an object. This server does not implement more"],
    ["grammar", "root ::= x", '"", received "root ::= x". This server does not implement more'],
    ["json_schema", {}, "nothing, received an object. This server does not implement more"],
    ["guided_json", {}, "nothing, received an object. This server does not implement more"],
    ["stop_token_ids", [1], "nothing, received an array of 1. This server does not implement more"],
    ["ignore_eos", true, "false, received true. This server does not implement more"],
  ];

  test("are refused by name, never ignored", () => {
    for (const [field, value, rest] of REFUSED) {
      const message = `${field}: expected ${rest}`;
      refused(() => chat({ [field]: value }), field, message, "unsupported_parameter");
      refused(() => completion({ [field]: value }), field, message, "unsupported_parameter");
    }
  });

  test("are tolerated where they ask for nothing", () => {
    const neutral = {
      n: 1,
      best_of: 1,
      echo: false,
      suffix: "",
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      presence_penalty: 0,
      frequency_penalty: 0,
      response_format: { type: "text" },
      tools: [],
      tool_choice: "auto",
      functions: [],
      modalities: ["text"],
    };
    expect(chat(neutral).options).toEqual({});
    expect(completion(neutral).options).toEqual({ max_tokens: 16 });
  });
});
