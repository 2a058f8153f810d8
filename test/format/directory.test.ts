/** The directory's JSON: every field's refusal, JSON that tries to cost more than its size, and the canonical form. */
import { describe, expect, test } from "bun:test";
import { encodeDirectory, parseDirectory } from "../../src/format/directory.ts";
import { JSON_VALUES_MAX } from "../../src/format/json-size.ts";
import { DIRECTORY_BYTES_MAX } from "../../src/limits.ts";
import { refusal } from "./refusal.ts";
import { type CONFIG, directoryText, packSample } from "./sample-file.ts";

const TEXT = directoryText(await packSample());

const bytesOf = (text: string) => new TextEncoder().encode(text);

function refusalOf(text: string) {
  return refusal(() => parseDirectory(bytesOf(text)));
}

/** The directory with the value at `path` replaced. */
function edited(path: string, value: unknown): string {
  const directory: unknown = JSON.parse(TEXT);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let parent = directory;
  for (const key of keys) parent = Reflect.get(Object(parent), key);
  Reflect.set(Object(parent), last, value);
  return JSON.stringify(directory);
}

test("reading and writing are inverse", () => {
  const directory = parseDirectory(bytesOf(TEXT));
  expect(new TextDecoder().decode(encodeDirectory(directory))).toBe(TEXT);
});

test("every rotary scaling and every null survive", () => {
  for (const rope_scaling of [
    null,
    { type: "linear", factor: 2.5 },
    {
      type: "llama3",
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
    { type: "dynamic_alpha", alpha: 1000 },
  ]) {
    expect(parseDirectory(bytesOf(edited("config.rope_scaling", rope_scaling))).config.rope_scaling).toEqual(
      rope_scaling as typeof CONFIG.rope_scaling,
    );
  }
  for (const path of [
    "label",
    "tokenizer",
    "chat_template",
    "config.bos_token_id",
    "generation.temperature",
  ]) {
    expect(parseDirectory(bytesOf(edited(path, null)))).toBeDefined();
  }
});

describe("fields that are wrong", () => {
  test.each([
    ["label", 7, "the directory's label: expected string, received 7"],
    [
      "label",
      "two\nlines",
      "the directory's label: expected text of one line without control characters, received \"",
    ],
    [
      "label",
      "\u001b[31mred",
      "the directory's label: expected text of one line without control characters, received \"",
    ],
    ["label", "x".repeat(1025), "the directory's label: expected <=1024, received 1025"],
    ["config", null, "the directory's config: expected Object, received null"],
    ["config", [], "the directory's config.architecture: expected this key, received none"],
    ["config.architecture", 7, 'the directory\'s config.architecture: expected ("llama" | "qwen3" | '],
    ["config.query_key_norm", "both", "the directory's config.query_key_norm: expected "],
    ["config.hidden_size", "64", 'the directory\'s config.hidden_size: expected number, received "64"'],
    ["config.hidden_size", 64.5, "the directory's config.hidden_size: expected an integer, received 64.5"],
    [
      "config.hidden_size",
      16_777_217,
      "the directory's config.hidden_size: expected <=16777216, received 16777217",
    ],
    [
      "config.num_hidden_layers",
      1025,
      "the directory's config.num_hidden_layers: expected <=1024, received 1025",
    ],
    ["config.num_hidden_layers", 0, "the directory's config.num_hidden_layers: expected >=1, received 0"],
    ["config.vocab_size", -1, "the directory's config.vocab_size: expected >=1, received -1"],
    ["config.rope_theta", 0, "the directory's config.rope_theta: expected >0, received 0"],
    ["config.rope_scaling", { type: "yarn" }, "the directory's config.rope_scaling"],
    ["config.rope_scaling", { type: "linear" }, "the directory's config.rope_scaling.factor"],
    [
      "config.rope_scaling",
      { type: "linear", factor: 1, extra: 1 },
      "the directory's config.rope_scaling.extra",
    ],
    ["config.tie_word_embeddings", "yes", "the directory's config.tie_word_embeddings: expected boolean"],
    ["config.eos_token_ids", [1, "2"], "the directory's config.eos_token_ids.1: expected number"],
    ["config.eos_token_ids", Array(257).fill(1), "the directory's config.eos_token_ids: expected <=256"],
    ["config.extra", 1, "the directory's config.extra: expected no such key, received one"],
    ["generation.top_p", 1.5, "the directory's generation.top_p: expected <=1, received 1.5"],
    ["generation.do_sample", 1, "the directory's generation.do_sample: expected boolean, received 1"],
    ["tokenizer.bytes", 0, "the directory's tokenizer.bytes: expected >=1, received 0"],
    ["tokenizer.bytes", 2 ** 40, "the directory's tokenizer.bytes: expected <=268435456"],
    [
      "tokenizer.sha256",
      "AB",
      'the directory\'s tokenizer.sha256: expected 64 lower-case hexadecimal digits, received "AB"',
    ],
    ["tokenizer_config", [], "the directory's tokenizer_config: expected an object, received Array"],
    ["tokenizer_config", "{}", 'the directory\'s tokenizer_config: expected an object, received "{}"'],
    ["chat_template", {}, "the directory's chat_template: expected string, received Object"],
    ["chat_template", "x".repeat(1_048_577), "the directory's chat_template: expected <=1048576"],
    ["provenance.packer", null, "the directory's provenance.packer: expected string, received null"],
    ["provenance.time", "now", "the directory's provenance.time: expected no such key"],
    ["tensors", {}, "the directory's tensors: expected Array, received Object"],
    ["tensors", Array(65_537).fill(JSON.parse(TEXT).tensors[0]), "the directory's tensors: expected <=65536"],
    ["tensors.0", null, "the directory's tensors.0: expected Object, received null"],
    [
      "tensors.0.name",
      "",
      "the directory's tensors.0.name: expected printable ASCII without spaces, received \"",
    ],
    [
      "tensors.0.name",
      "a b",
      "the directory's tensors.0.name: expected printable ASCII without spaces, received \"",
    ],
    ["tensors.0.name", "x".repeat(257), "the directory's tensors.0.name: expected <=256, received 257"],
    ["tensors.0.kind", "q4", "the directory's tensors.0.kind: expected "],
    ["tensors.0.shape", [], "the directory's tensors.0.shape: expected Array"],
    ["tensors.0.shape", [1, 1, 1], "the directory's tensors.0.shape: expected Array"],
    ["tensors.0.shape", [0, 4], "the directory's tensors.0.shape"],
    ["tensors.0.shape", [1e300], "the directory's tensors.0.shape"],
    ["tensors.0.offset", -64, "the directory's tensors.0.offset: expected >=0, received -64"],
    ["tensors.0.offset", 2 ** 53, "the directory's tensors.0.offset"],
    ["tensors.0.offset", "128", "the directory's tensors.0.offset: expected number"],
    ["tensors.0.scale", {}, "the directory's tensors.0.scale"],
    ["tensors.0.column_order", "sorted", "the directory's tensors.0.column_order: expected "],
    ["tensors.0.column_order", undefined, "the directory's tensors.0.column_order: expected this key"],
    ["tensors.2.scale.group_columns", 48, "the directory's tensors.2.scale.group_columns: expected "],
    ["tensors.2.scale.element", "f64", "the directory's tensors.2.scale.element: expected "],
    ["unknown", 1, "the directory's unknown: expected no such key, received one"],
    ["__proto__x", 1, "the directory's __proto__x: expected no such key"],
  ])("%s", (path, value, message) => {
    const refused = refusalOf(edited(path, value));
    expect(refused.code).toBe("format_invalid");
    expect(refused.message).toStartWith(message);
  });

  test.each(["label", "config", "tensors", "tokenizer_config", "provenance"])("%s is missing", (key) => {
    const directory = JSON.parse(TEXT);
    delete directory[key];
    expect(refusalOf(JSON.stringify(directory)).message).toStartWith(
      `the directory's ${key}: expected this key, received none`,
    );
  });

  test.each(["null", "7", '"directory"', "true"])("not an object: %s", (text) => {
    expect(refusalOf(text).message).toStartWith("the directory: expected Object, received ");
  });

  test("an architecture of the future, its name made safe to print", () => {
    expect(refusalOf(edited("config.architecture", `mamba\u001b${"x".repeat(200)}`))).toEqual({
      code: "format_unsupported",
      message:
        `the model's architecture: expected llama, qwen3, hunyuan_v1_dense, received mamba?${"x".repeat(74)}.... ` +
        "A newer version of this package may read the file",
    });
  });

  test("what a refusal quotes is short and printable", () => {
    const { message } = refusalOf(edited("tensors.0.kind", `\u001b]0;\u0007${"y".repeat(5_000)}`));
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^[\x20-\x7e]*$/);
    const key = refusalOf(edited(`\u001b${"z".repeat(5_000)}`, 1));
    expect(key.message.length).toBeLessThan(300);
    expect(key.message).toMatch(/^[\x20-\x7e]*$/);
  });

  test("heads and head size that no model has", () => {
    expect(refusalOf(edited("config.num_key_value_heads", 3)).message).toBe(
      "config.num_attention_heads: expected a multiple of num_key_value_heads (3), received 8",
    );
    expect(refusalOf(edited("config.head_dim", 9)).message).toBe(
      "config.head_dim: expected an even number, for rotary pairs, received 9",
    );
  });

  test("a norm of queries and keys that the architecture does not have", () => {
    expect(refusalOf(edited("config.query_key_norm", "before_rotary"))).toEqual({
      code: "format_invalid",
      message: "config.query_key_norm: expected none, as llama has it, received before_rotary",
    });
    expect(refusalOf(edited("config.architecture", "hunyuan_v1_dense")).message).toBe(
      "config.query_key_norm: expected after_rotary, as hunyuan_v1_dense has it, received none",
    );
  });

  test("an alpha whose rotary base is no number to compute with", () => {
    expect(refusalOf(edited("config.rope_scaling", { type: "dynamic_alpha", alpha: 1e300 }))).toEqual({
      code: "format_invalid",
      message:
        "config.rope_scaling.alpha: expected a number whose rotary base is finite and above 0 at head_dim 8, " +
        "received 1e+300",
    });
    expect(refusalOf(edited("config.rope_scaling", { type: "dynamic_alpha", alpha: 0 })).message).toStartWith(
      "the directory's config.rope_scaling.alpha: expected >0, received 0",
    );
  });
});

describe("JSON that is hostile", () => {
  const canonical = {
    code: "format_invalid",
    message:
      "the directory's JSON: expected the canonical form (fixed key order, no spaces, no key twice), " +
      "received another spelling of the same data",
  };

  test("not JSON, not UTF-8, with a byte order mark", () => {
    const not_json = {
      code: "format_invalid",
      message: "the directory: expected JSON in UTF-8, received other bytes",
    };
    expect(refusalOf("")).toEqual(not_json);
    expect(refusalOf(`${TEXT}x`)).toEqual(not_json);
    expect(refusalOf(TEXT.slice(0, -1))).toEqual(not_json);
    expect(refusalOf(`\ufeff${TEXT}`)).toEqual(not_json);
    const bytes = bytesOf(TEXT);
    bytes[bytes.indexOf("m".charCodeAt(0))] = 0xff;
    expect(refusal(() => parseDirectory(bytes))).toEqual(not_json);
  });

  test("spaces, another key order, a key twice, an escape without need", () => {
    expect(refusalOf(TEXT.replace(",", ", "))).toEqual(canonical);
    expect(refusalOf(`${TEXT}\n`)).toEqual(canonical);
    expect(refusalOf(TEXT.replace('"head_dim":8', '"head_dim":8.0'))).toEqual(canonical);
    expect(refusalOf(TEXT.replace('"head_dim":8', '"head_dim":8,"head_dim":8'))).toEqual(canonical);
    expect(refusalOf(TEXT.replace('"llama"', '"\\u006clama"'))).toEqual(canonical);
    const { label, ...rest } = JSON.parse(TEXT);
    expect(refusalOf(JSON.stringify({ ...rest, label }))).toEqual(canonical);
    expect(
      refusalOf(TEXT.replace('"tokenizer_config":{', '"tokenizer_config":{"__proto__":{},"__proto__":{},')),
    ).toEqual(canonical);
  });

  test("deep nesting, in the open and inside the tokenizer's configuration", () => {
    const deep = {
      code: "format_invalid",
      message:
        "the directory's JSON: expected at most 64 arrays and objects inside each other, received more",
    };
    expect(refusalOf("[".repeat(1_000_000))).toEqual(deep);
    expect(refusalOf('{"a":'.repeat(1_000_000))).toEqual(deep);
    const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    expect(refusalOf(edited("tokenizer_config", { a: nested(63) }))).toEqual(deep);
    const text = edited("tokenizer_config", { a: nested(62), '[[[{{{\\"': '\\"[[[' });
    expect(parseDirectory(bytesOf(text)).tokenizer_config["a"]).toBeDefined();
  });

  test("more values than any model has", () => {
    const { code, message } = refusalOf(edited("tokenizer_config", { a: Array(JSON_VALUES_MAX).fill(0) }));
    expect(code).toBe("format_invalid");
    expect(message).toBe(`the directory's JSON: expected at most ${JSON_VALUES_MAX} values, received more`);
  });

  test("more bytes than any directory has", () => {
    expect(refusal(() => parseDirectory(new Uint8Array(DIRECTORY_BYTES_MAX + 1)))).toEqual({
      code: "format_invalid",
      message: `the directory: expected at most 67108864 bytes, received 67108865 bytes`,
    });
  });
});

test("numbers that JSON writes in its own way stay what they are", () => {
  const tokenizer_config = { model_max_length: 1e30, ratio: 0.1, "2": "b", "1": "a", "\ud800": "\ud800" };
  const text = edited("tokenizer_config", tokenizer_config);
  const directory = parseDirectory(bytesOf(text));
  expect(directory.tokenizer_config["model_max_length"]).toBe(1e30);
  expect(new TextDecoder().decode(encodeDirectory(directory))).toBe(text);
});
