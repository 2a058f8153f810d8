/**
 * Chat templates of the models that people bring, each written here from what its authors publish about roles, system
 * prompt, control tokens and the opening of an answer; the expected texts are those that transformers renders for the
 * original. Sources: the chat_template of Llama-3.2-Instruct, Qwen3 and Hunyuan-1.8B-Instruct (Hy-MT1.5 has the same).
 */
import { describe, expect, test } from "bun:test";
import { loadChatTemplate, type TemplateMessage } from "../../src/tokenizer/chat-template.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { byteLevelTokenizer, errorOf, jsonBytes } from "./fixtures.ts";

const system = (content: string): TemplateMessage => ({ role: "system", content });
const user = (content: string): TemplateMessage => ({ role: "user", content });
const assistant = (content: string): TemplateMessage => ({ role: "assistant", content });

interface Model {
  readonly template: string;
  readonly tokenizer_config: Readonly<Record<string, unknown>>;
  readonly control_tokens: readonly string[];
}

/** A header line for each turn; the system turn is always there and tells the date. */
const LLAMA: Model = {
  tokenizer_config: {
    bos_token: "<|begin_of_text|>",
    eos_token: "<|eot_id|>",
    model_input_names: ["input_ids", "attention_mask"],
  },
  control_tokens: ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
  template: `
{%- macro turn(role, text) %}
    {{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' + text + '<|eot_id|>' }}
{%- endmacro %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now('%d %b %Y') %}
    {%- else %}
        {%- set date_string = '26 Jul 2024' %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set instruction = '' %}
{%- if messages[0]['role'] == 'system' %}
    {%- set instruction = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- bos_token }}
{%- set preamble = 'Environment: ipython\\n' if tools is not none else '' %}
{{- turn('system', preamble + 'Cutting Knowledge Date: December 2023\\nToday Date: ' + date_string + '\\n\\n' + instruction) }}
{%- for message in messages %}
    {%- if message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message %}
        {{- raise_exception('This rewrite has no tools') }}
    {%- endif %}
    {{- turn(message['role'], message['content'] | trim) }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
`,
};

/** ChatML without a default system turn; thoughts stay only in answers after the last question. */
const QWEN3: Model = {
  tokenizer_config: {
    bos_token: null,
    eos_token: "<|im_end|>",
    pad_token: "<|endoftext|>",
    additional_special_tokens: ["<|im_start|>", "<|im_end|>"],
  },
  control_tokens: ["<|im_start|>", "<|im_end|>", "<think>", "</think>"],
  template: `
{%- set state = namespace(last_question=messages | length - 1, searching=true) %}
{%- for message in messages[::-1] %}
    {%- if state.searching and message.role == 'user' and message.content is string
        and not (message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set state.searching = false %}
        {%- set state.last_question = messages | length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
        {%- set messages = messages[1:] %}
        {%- set state.last_question = state.last_question - 1 %}
    {%- endif %}
    {{- '<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- set text = message.content if message.content is string else '' %}
    {%- set thoughts = '' %}
    {%- if message.role == 'assistant' %}
        {%- if message.reasoning_content is string %}
            {%- set thoughts = message.reasoning_content %}
        {%- elif '</think>' in text %}
            {%- set thoughts = text.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set text = text.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > state.last_question and (loop.last or thoughts) %}
            {%- set text = '<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' + text.lstrip('\\n') %}
        {%- endif %}
    {%- endif %}
    {%- if message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + text + '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + text }}
        {%- for call in message.tool_calls or [] %}
            {%- set called = call.function if call.function else call %}
            {{- '<tool_call>\\n{"name": "' + called.name + '", "arguments": ' }}
            {{- called.arguments if called.arguments is string else called.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
`,
};

/** The bars of its control tokens are full-width, the blanks U+2581. */
const HUNYUAN: Model = {
  tokenizer_config: {
    bos_token: "<｜hy_begin▁of▁sentence｜>",
    eos_token: "<｜hy_place▁holder▁no▁2｜>",
    pad_token: "<｜hy_▁pad▁｜>",
  },
  control_tokens: [
    "<｜hy_begin▁of▁sentence｜>",
    "<｜hy_User｜>",
    "<｜hy_Assistant｜>",
    "<｜hy_place▁holder▁no▁2｜>",
    "<｜hy_place▁holder▁no▁3｜>",
    "<｜hy_place▁holder▁no▁8｜>",
  ],
  template: `{{ bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'system' and loop.first %}
        {{- message['content'] ~ '<｜hy_place▁holder▁no▁3｜>' }}
    {%- elif message['role'] == 'user' %}
        {{- '<｜hy_User｜>' ~ message['content'] }}
    {%- elif message['role'] == 'assistant' %}
        {{- '<｜hy_Assistant｜>' ~ message['content'] ~ '<｜hy_place▁holder▁no▁2｜>' }}
    {%- endif %}
{%- endfor %}
{{- '<｜hy_Assistant｜>' if add_generation_prompt else '<｜hy_place▁holder▁no▁8｜>' }}`,
};

function render(model: Model, messages: readonly TemplateMessage[], add_generation_prompt = true): string {
  const now = () => new Date(2026, 10, 3);
  return loadChatTemplate(model.template, model.tokenizer_config, now).render(messages, {
    add_generation_prompt,
  });
}

const LLAMA_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 03 Nov 2026\n\n";
const LLAMA_ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n";

describe("Llama-3.2-Instruct", () => {
  test("a question gets a system turn that tells the date of today", () => {
    expect(render(LLAMA, [user("Hello")])).toBe(
      `<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n${LLAMA_DATES}<|eot_id|>` +
        `<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>${LLAMA_ASSISTANT}`,
    );
  });

  test("a conversation: the system prompt after the dates, every text trimmed", () => {
    const messages = [system(" Be brief.\n"), user("  Hi "), assistant("Hello.\n"), user("Bye")];
    expect(render(LLAMA, messages)).toBe(
      `<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n${LLAMA_DATES}Be brief.<|eot_id|>` +
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>" +
        `${LLAMA_ASSISTANT}Hello.<|eot_id|>` +
        `<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>${LLAMA_ASSISTANT}`,
    );
    expect(render(LLAMA, messages, false)).toEndWith("\n\nBye<|eot_id|>");
  });

  test("what the template refuses is an error in its words", () => {
    const error = errorOf(() => render(LLAMA, [user("Hi"), { role: "tool", content: "7" }]));
    expect(error.code).toBe("chat_template_invalid");
    expect(error.message).toContain("This rewrite has no tools");
  });
});

describe("Qwen3", () => {
  test("a question has no system turn; thinking is left to the model unless switched off", () => {
    expect(render(QWEN3, [user("Hello")])).toBe("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
    expect(render(QWEN3, [system("Be brief."), user("Hello")])).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("thoughts of earlier answers are left out", () => {
    const thoughtful = assistant("<think>\nA greeting.\n</think>\n\nHello!");
    expect(render(QWEN3, [user("Hi"), thoughtful, user("Bye")])).toBe(
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n" +
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("the last answer keeps its thoughts, or gets an empty place for them", () => {
    const question = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    const thoughtful = assistant("<think>\nA greeting.\n</think>\n\nHello!");
    expect(render(QWEN3, [user("Hi"), thoughtful], false)).toBe(
      `${question}<think>\nA greeting.\n</think>\n\nHello!<|im_end|>\n`,
    );
    expect(render(QWEN3, [user("Hi"), assistant("Hello!")], false)).toBe(
      `${question}<think>\n\n</think>\n\nHello!<|im_end|>\n`,
    );
  });

  test("tools stand in the system turn as JSON, calls and their results in turns of their own", () => {
    const weather = {
      type: "function",
      function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
    };
    const call = { type: "function", function: { name: "weather", arguments: { city: "Zürich" } } };
    const messages: TemplateMessage[] = [
      system("Be brief."),
      user("Warm?"),
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", content: "21 degrees", tool_call_id: "1" },
    ];
    const rendered = loadChatTemplate(QWEN3.template, QWEN3.tokenizer_config).render(messages, {
      add_generation_prompt: true,
      tools: [weather],
    });
    expect(rendered).toBe(
      "<|im_start|>system\nBe brief.\n\n<tools>\n" +
        '{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}' +
        "\n</tools><|im_end|>\n<|im_start|>user\nWarm?<|im_end|>\n" +
        '<|im_start|>assistant\n<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich"}}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\n<tool_response>\n21 degrees\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test("blanks and markers in a text stay as they are", () => {
    expect(render(QWEN3, [user("  two\n\n{{ lines }} ")], false)).toBe(
      "<|im_start|>user\n  two\n\n{{ lines }} <|im_end|>\n",
    );
  });
});

describe("Hunyuan and Hy-MT", () => {
  test("a translation: no system turn, no blanks between the turns", () => {
    expect(render(HUNYUAN, [user("Translate into Chinese:\n\nIt’s on the house.")])).toBe(
      "<｜hy_begin▁of▁sentence｜><｜hy_User｜>Translate into Chinese:\n\nIt’s on the house.<｜hy_Assistant｜>",
    );
  });

  test("a conversation with a system prompt", () => {
    const messages = [system("Be brief."), user("Hi"), assistant("Hello."), user("Bye")];
    const text =
      "<｜hy_begin▁of▁sentence｜>Be brief.<｜hy_place▁holder▁no▁3｜><｜hy_User｜>Hi" +
      "<｜hy_Assistant｜>Hello.<｜hy_place▁holder▁no▁2｜><｜hy_User｜>Bye";
    expect(render(HUNYUAN, messages)).toBe(`${text}<｜hy_Assistant｜>`);
    expect(render(HUNYUAN, messages, false)).toBe(`${text}<｜hy_place▁holder▁no▁8｜>`);
  });
});

describe.each([
  ["Llama-3.2-Instruct", LLAMA],
  ["Qwen3", QWEN3],
  ["Hunyuan", HUNYUAN],
] as const)("%s and a tokenizer", (_, model) => {
  test("every control token of a rendered conversation is one token, and one BOS begins it", () => {
    const definition = byteLevelTokenizer();
    const first_id = 1000;
    const added_tokens = model.control_tokens.map((content, index) => ({
      id: first_id + index,
      content,
      special: true,
      normalized: false,
    }));
    const tokenizer = loadTokenizer(
      jsonBytes({ ...definition, added_tokens, post_processor: null }),
      model.tokenizer_config,
    );
    const text = render(model, [system("Be brief."), user("Hi"), assistant("Hello."), user("Bye")]);
    const texts = tokenizer
      .encode(text, { add_special_tokens: false })
      .map((token_id) => tokenizer.tokenText(token_id) ?? "");
    const markers = texts.filter((token) => model.control_tokens.includes(token));
    const expected = [...text.matchAll(/<[|｜][^>]*[|｜]>/gu)].map(([marker]) => marker);
    expect(expected.length).toBeGreaterThan(5);
    expect(markers).toEqual(expected);
    const bos = model.tokenizer_config["bos_token"];
    if (typeof bos === "string") expect(markers.filter((marker) => marker === bos)).toEqual([bos]);
  });
});

describe("a template that needs what is not given", () => {
  test.each([
    ["a function", "{{ load_document(messages[0].content) }}", "load_document"],
    ["a filter", "{{ messages[0].content | translate_into_french }}", "translate_into_french"],
  ])("%s: the error names it", (_, template, name) => {
    const error = errorOf(() =>
      loadChatTemplate(template, {}).render([user("Hi")], { add_generation_prompt: true }),
    );
    expect(error.code).toBe("chat_template_invalid");
    expect(error.message).toContain(name);
  });
});
