/** Chat templates with transformers' conventions; the templates here are ours, in the manner of public ones. */
import { describe, expect, test } from "bun:test";
import { loadChatTemplate } from "../../src/tokenizer/chat-template.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { byteLevelTokenizer, errorOf, jsonBytes } from "./fixtures.ts";

const CONFIG = { bos_token: "<|begin|>", eos_token: { content: "<|end|>" } };
const CHAT = `{{ bos_token }}
{%- for message in messages %}
    {%- if message['role'] not in ['system', 'user', 'assistant'] %}
        {{ raise_exception('Unknown role ' ~ message['role']) }}
    {%- endif %}
    {{- '[' ~ message.role ~ ']' ~ message.content | trim ~ eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[assistant]' }}
{%- endif %}`;
const MESSAGES = [
  { role: "system", content: " Be brief. " },
  { role: "user", content: "Hi {{ bos_token }}" },
];

function renderOne(source: string, config: Record<string, unknown> = CONFIG, now?: () => Date): string {
  return loadChatTemplate(source, config, now).render(MESSAGES, { add_generation_prompt: true });
}

describe("loadChatTemplate", () => {
  test("renders a conversation, with and without the opening of the answer", () => {
    const template = loadChatTemplate(CHAT, CONFIG);
    const text = "<|begin|>[system]Be brief.<|end|>[user]Hi {{ bos_token }}<|end|>";
    expect(template.render(MESSAGES, { add_generation_prompt: false })).toBe(text);
    expect(template.render(MESSAGES, { add_generation_prompt: true })).toBe(`${text}[assistant]`);
    expect(template.render([], { add_generation_prompt: false })).toBe("<|begin|>");
  });

  test("gives text whose markers become single tokens, with one BOS", () => {
    const tokenizer = loadTokenizer(jsonBytes(byteLevelTokenizer()), CONFIG);
    const text = loadChatTemplate(CHAT, CONFIG).render([], { add_generation_prompt: false });
    const token_ids = tokenizer.encode(text, { add_special_tokens: false });
    expect(token_ids.map((token_id) => tokenizer.tokenText(token_id))).toEqual(["<|begin|>"]);
  });

  test("trims blocks as transformers does", () => {
    expect(renderOne("a\n  {% if true %}\nb\n  {% endif %}\nc")).toBe("a\nb\nc");
  });

  test("has transformers' variables: special tokens, no tools, no documents", () => {
    expect(renderOne("{{ bos_token }}{{ eos_token }}")).toBe("<|begin|><|end|>");
    expect(renderOne("{{ tools is none }} {{ documents is none }} {{ tools is defined }}")).toBe(
      "true true true",
    );
    expect(renderOne("{{ pad_token is defined }} {{ additional_special_tokens is defined }}")).toBe(
      "false false",
    );
    expect(
      renderOne("{{ additional_special_tokens[1] }}", { additional_special_tokens: ["<a>", "<b>"] }),
    ).toBe("<b>");
    expect(renderOne("{{ True }}{{ False }}{{ None is none }}{{ none is none }}")).toBe("truefalsetruetrue");
  });

  test("has a clock", () => {
    const now = () => new Date(2026, 0, 2, 3, 4);
    expect(renderOne("{{ strftime_now('%d %b %Y %H:%M') }}", CONFIG, now)).toBe("02 Jan 2026 03:04");
    expect(renderOne("{{ strftime_now('%Y') | length }}")).toBe("4");
  });

  test("has Python's range", () => {
    expect(renderOne("{% for i in range(3) %}{{ i }}{% endfor %}")).toBe("012");
    expect(renderOne("{% for i in range(2, 8, 3) %}{{ i }} {% endfor %}")).toBe("2 5 ");
    expect(renderOne("{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}")).toBe("321");
    expect(renderOne("{{ range(3, 1) | length }}")).toBe("0");
  });

  test("keeps variables of one rendering out of the next", () => {
    const template = loadChatTemplate("{{ seen is defined }}{% set seen = 1 %}", {});
    const options = { add_generation_prompt: false };
    expect([template.render([], options), template.render([], options)]).toEqual(["false", "false"]);
  });
});

describe("refusals", () => {
  const next_step = "Change the conversation or the template, or send plain text instead";
  const refusal = (source: string) => {
    const error = errorOf(() => renderOne(source));
    expect(error.code).toBe("chat_template_invalid");
    return error.message;
  };

  test("a template that does not compile, in the language's words", () => {
    expect(refusal("{{ 1 + }}")).toBe(
      `The chat template does not compile: Unexpected token: CloseExpression. ${next_step}`,
    );
    expect(refusal("{% if true %}")).toStartWith("The chat template does not compile: ");
    expect(refusal(`{{ ${"(".repeat(300_000)}`)).toStartWith("The chat template does not compile: ");
  });

  test("a template that refuses the conversation, in its own words", () => {
    const error = errorOf(() =>
      loadChatTemplate(CHAT, CONFIG).render([{ role: "wizard", content: "" }], {
        add_generation_prompt: true,
      }),
    );
    expect(error.code).toBe("chat_template_invalid");
    expect(error.message).toBe(
      `The chat template cannot render this conversation: Unknown role wizard. ${next_step}`,
    );
  });

  test("a function that does not exist, or that is asked for what it does not do", () => {
    const cannot = "The chat template cannot render this conversation:";
    expect(refusal("{{ summon() }}")).toBe(
      `${cannot} it calls summon, and no such function is given to chat templates. ${next_step}`,
    );
    expect(refusal("{{ range(strftime_now('%Y').summon() | length) }}")).toBe(
      `${cannot} it calls .summon, and no such function is given to chat templates. ${next_step}`,
    );
    expect(refusal("{{ strftime_now('%Q') }}")).toBe(
      `${cannot} strftime_now does not know the directive "%Q". ${next_step}`,
    );
    expect(refusal("{{ strftime_now(5) }}")).toBe(`${cannot} strftime_now() takes a text. ${next_step}`);
    expect(refusal("{{ range(1000001) }}")).toBe(
      `${cannot} range() of 1000001 numbers, where at most 100000 are allowed. ${next_step}`,
    );
    for (const call of ["range()", "range('a')", "range(1, 2, 0)", "range(0.5)"]) {
      expect(refusal(`{{ ${call} }}`)).toBe(
        `${cannot} range() takes whole numbers and a step that is not 0. ${next_step}`,
      );
    }
  });

  test("a template above the limits, before the language sees it", () => {
    expect(refusal("x".repeat(1_048_577))).toBe(
      "The chat template is too long: expected at most 1048576 UTF-16 units, received 1048577",
    );
    expect(refusal(`ab${" ".repeat(513)}`)).toBe(
      "The chat template has too many blanks in a row: expected at most 512, received more, at position 2",
    );
    expect(renderOne(`a${" ".repeat(512)}b`)).toHaveLength(514);
  });

  test("special tokens that are none", () => {
    expect(errorOf(() => loadChatTemplate("", { bos_token: 1 })).code).toBe("tokenizer_invalid");
  });
});
