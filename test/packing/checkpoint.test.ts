/** Hugging Face folders: what is accepted, in every published arrangement, and every refusal with its message. */
import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Checkpoint, openCheckpoint } from "../../src/packing/checkpoint.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { type Refusal, refusal } from "../format/refusal.ts";
import {
  DOWN_PROJ,
  EMBEDDING,
  type FolderContents,
  plainWeights,
  Q_PROJ,
  TemporaryFolder,
  TINY_CONFIG,
  tinyTensors,
  writeFolder,
} from "./checkpoint-folder.ts";

const TOKENIZER = '{"version":"1.0"}';
const NO_TOKENIZER = "The folder has no tokenizer.json: the packed model takes and gives token ids only";

/** What opening such a folder gives; `prepare` may change the folder first. */
function opened<T>(
  contents: FolderContents,
  look: (checkpoint: Checkpoint) => T,
  prepare?: (place: TemporaryFolder) => void,
): T {
  using place = new TemporaryFolder();
  writeFolder(place.path, contents);
  prepare?.(place);
  const checkpoint = openCheckpoint(place.path);
  try {
    return look(checkpoint);
  } finally {
    checkpoint.close();
  }
}

function refused(contents: FolderContents, prepare?: (place: TemporaryFolder) => void): Refusal {
  return refusal(() => opened(contents, () => "opened", prepare));
}

const UNTIED_CONFIG = { ...TINY_CONFIG, tie_word_embeddings: false };
const withHead = () =>
  tinyTensors().set("lm_head.weight", { shape: [10, 16], dtype: "F32", weights: plainWeights(160, 77) });
const names = (checkpoint: Checkpoint) => checkpoint.tensors.map((tensor) => tensor.name);

describe("the head", () => {
  test("tied: the embedding serves as the head", () => {
    opened({}, (checkpoint) => {
      expect(checkpoint.config.tie_word_embeddings).toBe(true);
      expect(names(checkpoint)).not.toContain("lm_head.weight");
      expect(checkpoint.tensors.map((tensor) => tensor.role).join(" ")).toBe(
        "embedding norm linear linear linear linear norm linear linear linear norm",
      );
    });
  });

  test("untied: a head of its own, last", () => {
    opened({ config: UNTIED_CONFIG, tensors: withHead() }, (checkpoint) => {
      expect(checkpoint.config.tie_word_embeddings).toBe(false);
      expect(checkpoint.tensors.at(-1)).toMatchObject({
        name: "lm_head.weight",
        role: "head",
        shape: [10, 16],
      });
    });
  });

  test("said to be untied, but simply absent: tied", () => {
    opened({ config: UNTIED_CONFIG }, (checkpoint) =>
      expect(checkpoint.config.tie_word_embeddings).toBe(true),
    );
  });

  test("tied, but stored all the same: left out, and said", () => {
    opened({ tensors: withHead(), files: { "tokenizer.json": TOKENIZER } }, (checkpoint) => {
      expect(names(checkpoint)).not.toContain("lm_head.weight");
      expect(checkpoint.warnings).toEqual([
        "lm_head.weight is not packed: config.json ties the head to the embedding (tie_word_embeddings)",
      ]);
    });
  });
});

describe("shards", () => {
  test("give the same packed file as one file with the same tensors", async () => {
    using place = new TemporaryFolder();
    const options = { linear: "sherry", embedding: "f16", head: null, scale: "auto", label: null } as const;
    for (const shards of [0, 1, 3]) {
      const input = writeFolder(place.at(`folder${shards}`), { shards });
      await packCheckpoint({ ...options, input, output: place.at(`${shards}.sherry`) });
    }
    const single = readFileSync(place.at("0.sherry"));
    expect(readFileSync(place.at("1.sherry")).equals(single)).toBe(true);
    expect(readFileSync(place.at("3.sherry")).equals(single)).toBe(true);
  });

  const index = (place: TemporaryFolder, weight_map: unknown) =>
    writeFileSync(place.at("model.safetensors.index.json"), JSON.stringify({ weight_map }));

  test("a shard that is not there", () => {
    const { code, message } = refused({ shards: 2 }, (place) =>
      rmSync(place.at("model-00002-of-00002.safetensors")),
    );
    expect(code).toBe("file_not_found");
    expect(message).toEndWith(
      "model-00002-of-00002.safetensors: expected a file that can be read, received no such file. Check the path",
    );
  });

  test("a tensor that is not in its shard", () => {
    const prepare = (place: TemporaryFolder) =>
      index(place, {
        [Q_PROJ]: "model-00001-of-00002.safetensors",
        other: "model-00001-of-00002.safetensors",
      });
    expect(refused({ shards: 2 }, prepare)).toEqual({
      code: "checkpoint_invalid",
      message:
        "tensor other: expected to be in model-00001-of-00002.safetensors, as model.safetensors.index.json says, " +
        "received a file without it. Shards of different checkpoints may be mixed up; get them again",
    });
  });

  test.each(["../model.safetensors", "/etc/passwd", "a/b.safetensors", ".safetensors", "model.bin", 7, null])(
    "a file name that leads elsewhere: %p",
    (file_name) => {
      expect(refused({ shards: 2 }, (place) => index(place, { [Q_PROJ]: file_name }))).toEqual({
        code: "checkpoint_invalid",
        message:
          `model.safetensors.index.json: the file of ${Q_PROJ}: expected the plain name of a .safetensors file in the ` +
          `same folder, received ${JSON.stringify(file_name)}`,
      });
    },
  );

  test("an index without a map, or with too many files", () => {
    expect(refused({ shards: 2 }, (place) => index(place, [1])).message).toBe(
      "model.safetensors.index.json: weight_map: expected an object of file names, received [1]",
    );
    const many = Object.fromEntries(
      Array.from({ length: 1_001 }, (_, shard) => [`t${shard}`, `s${shard}.safetensors`]),
    );
    expect(refused({ shards: 2 }, (place) => index(place, many)).message).toBe(
      "model.safetensors.index.json: shards: expected at most 1000, received 1001",
    );
  });

  test("a tensor in a shard that the index does not place there is ignored, and said", () => {
    const other = { shape: [2], dtype: "F32", weights: new Float32Array(2) } as const;
    const prepare = (place: TemporaryFolder) => {
      const path = place.at("model.safetensors.index.json");
      const { weight_map } = JSON.parse(readFileSync(path, "utf8"));
      delete weight_map["other"];
      writeFileSync(path, JSON.stringify({ weight_map }));
    };
    const tensors = tinyTensors().set("other", other);
    opened(
      { shards: 2, tensors, files: { "tokenizer.json": TOKENIZER } },
      (checkpoint) =>
        expect(checkpoint.warnings).toEqual([
          "model-00002-of-00002.safetensors holds other, which the index does not place there: ignored",
        ]),
      prepare,
    );
  });

  test("one file goes before an index beside it, and that is said", () => {
    const files = { "tokenizer.json": TOKENIZER, "model.safetensors.index.json": { weight_map: {} } };
    opened({ files }, (checkpoint) =>
      expect(checkpoint.warnings).toEqual([
        "model.safetensors.index.json is not used: there is a model.safetensors",
      ]),
    );
  });
});

describe("tensors", () => {
  test("a missing one", () => {
    const tensors = tinyTensors();
    tensors.delete(DOWN_PROJ);
    expect(refused({ tensors })).toEqual({
      code: "checkpoint_invalid",
      message:
        `tensor ${DOWN_PROJ}: expected [16, 24], as config.json says, received no such tensor in the checkpoint. ` +
        "The checkpoint is incomplete or of another architecture",
    });
  });

  test.each([
    [[24, 16], "[24, 16]"],
    [[384], "[384]"],
    [[16, 24, 1], "[16, 24, 1]"],
  ])("one of another shape: %p", (shape, received) => {
    const tensors = tinyTensors().set(DOWN_PROJ, { shape, dtype: "F32", weights: plainWeights(384, 1) });
    expect(refused({ tensors })).toEqual({
      code: "checkpoint_invalid",
      message: `the shape of tensor ${DOWN_PROJ}: expected [16, 24], as config.json says, received ${received}`,
    });
  });

  test("one of a type that is no float", () => {
    const replaceType = (place: TemporaryFolder) => {
      const bytes = readFileSync(place.at("model.safetensors"));
      const at = bytes.indexOf('"F32"');
      bytes.write('"I32"', at);
      writeFileSync(place.at("model.safetensors"), bytes);
    };
    expect(refused({}, replaceType)).toEqual({
      code: "checkpoint_unsupported",
      message:
        `the elements of tensor ${EMBEDDING}: expected F32, F16 or BF16, received I32. ` +
        "Convert the checkpoint to one of these types",
    });
  });

  test("unknown ones are named in a warning, stored rotary tables are not worth one", () => {
    const extra = { shape: [4], dtype: "F32", weights: new Float32Array(4) } as const;
    const tensors = tinyTensors().set("model.layers.0.self_attn.rotary_emb.inv_freq", extra);
    for (let index = 0; index < 10; index += 1) tensors.set(`extra.${index}`, extra);
    opened({ tensors, files: { "tokenizer.json": TOKENIZER } }, (checkpoint) => {
      expect(checkpoint.warnings).toHaveLength(1);
      expect(checkpoint.warnings[0]).toEndWith(
        "are not packed: extra.0, extra.1, extra.2, extra.3, extra.4, extra.5, extra.6, extra.7 and 2 more",
      );
      expect(names(checkpoint)).toHaveLength(11);
    });
  });
});

describe("the folder", () => {
  test("that is not there, or a file", () => {
    using place = new TemporaryFolder();
    const absent = place.at("absent");
    expect(refusal(() => openCheckpoint(absent))).toEqual({
      code: "file_not_found",
      message: `${absent}: expected a Hugging Face folder or a GGUF file, received nothing of that name. Check the path`,
    });
    writeFileSync(absent, "");
    expect(refusal(() => openCheckpoint(absent))).toEqual({
      code: "checkpoint_unsupported",
      message:
        `${absent}: expected a Hugging Face folder (config.json, model.safetensors, tokenizer.json) or a GGUF file, received another file. ` +
        "Name the folder that holds the checkpoint",
    });
  });

  test("without config.json, without weights, with weights of another form", () => {
    using place = new TemporaryFolder();
    expect(refusal(() => openCheckpoint(place.path))).toEqual({
      code: "checkpoint_invalid",
      message: `${place.path}: expected a Hugging Face folder with a config.json, received a folder without one`,
    });
    writeFolder(place.path);
    rmSync(place.at("model.safetensors"));
    const advice = "Save the model with save_pretrained(folder, safe_serialization=True)";
    const expected = `${place.path}: expected model.safetensors or model.safetensors.index.json`;
    expect(refusal(() => openCheckpoint(place.path)).message).toBe(
      `${expected}, received neither. ${advice}`,
    );
    writeFileSync(place.at("pytorch_model.bin"), "");
    expect(refusal(() => openCheckpoint(place.path)).message).toBe(
      `${expected}, received pytorch_model.bin. ${advice}`,
    );
  });
});

describe("tokenizer and chat template", () => {
  const texts = (files: Readonly<Record<string, unknown>>) =>
    opened({ files }, (checkpoint) => checkpoint.texts);

  test("a folder without tokenizer packs, with a warning", () => {
    expect(texts({})).toEqual({
      tokenizer: null,
      tokenizer_config: {},
      chat_template: null,
      warnings: [NO_TOKENIZER],
    });
  });

  test("tokenizer.json travels unchanged, tokenizer_config.json without its template", () => {
    const spelled = '{ "version": "1.0" }\n';
    const config = { bos_token: "<s>", chat_template: "{{ messages }}", model_max_length: 1e30 };
    expect(texts({ "tokenizer.json": spelled, "tokenizer_config.json": config })).toEqual({
      tokenizer: new TextEncoder().encode(spelled),
      tokenizer_config: { bos_token: "<s>", model_max_length: 1e30 },
      chat_template: "{{ messages }}",
      warnings: [],
    });
  });

  test("of named templates the default one is taken; none of that name is said", () => {
    const named = (...template_names: string[]) => ({
      "tokenizer.json": TOKENIZER,
      "tokenizer_config.json": {
        chat_template: template_names.map((name) => ({ name, template: `for ${name}` })),
      },
    });
    expect(texts(named("tool_use", "default")).chat_template).toBe("for default");
    expect(texts(named("tool_use", "rag"))).toMatchObject({
      chat_template: null,
      warnings: [
        'tokenizer_config.json: chat_template has no template named "default" (only "tool_use", "rag"): none is packed',
      ],
    });
  });

  test("chat_template.jinja goes before the field; two that differ are said", () => {
    const files = { "tokenizer.json": TOKENIZER, "chat_template.jinja": "from the file" };
    expect(texts(files)).toMatchObject({ chat_template: "from the file", warnings: [] });
    const both = { ...files, "tokenizer_config.json": { chat_template: "from the field" } };
    expect(texts(both)).toMatchObject({
      chat_template: "from the file",
      warnings: [
        "chat_template.jinja and tokenizer_config.json hold different chat templates: the former is used",
      ],
    });
  });

  test.each([
    [
      { "tokenizer_config.json": { chat_template: 3 } },
      "tokenizer_config.json: chat_template: expected a text, or an array of {name, template}, received 3",
    ],
    [
      { "tokenizer_config.json": { chat_template: [{ name: "a" }] } },
      "tokenizer_config.json: chat_template: expected a text, or an array of {name, template}, received an array of 1",
    ],
    [
      { "tokenizer_config.json": { chat_template: "x".repeat(1_048_577) } },
      "tokenizer_config.json: chat_template: expected at most 1048576 characters, received 1048577",
    ],
    [
      { "chat_template.jinja": "x".repeat(1_048_577) },
      "chat_template.jinja: expected at most 1048576 characters, received 1048577",
    ],
    [
      { "chat_template.jinja": Uint8Array.of(0xff) },
      "chat_template.jinja: expected a text in UTF-8, received other bytes",
    ],
  ])("refused: %#", (files, message) => {
    expect(refused({ files })).toEqual({ code: "checkpoint_invalid", message });
  });

  test("a tokenizer.json that is no JSON", () => {
    expect(refused({ files: { "tokenizer.json": "nonsense" } }).message).toEndWith(
      "tokenizer.json: expected JSON in UTF-8, received a text that is no JSON. The file is damaged; get it again",
    );
  });
});
