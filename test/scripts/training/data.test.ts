/** Packed sequences: nothing lost, nothing twice, held-out texts apart, and the same after going on. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { markedText, storyDocuments } from "../../../scripts/corpus/documents.ts";
import { CorpusData } from "../../../scripts/training/corpus-data.ts";
import { splitDocuments, TextData } from "../../../scripts/training/text-data.ts";
import { byteTokenizerConfig, byteTokenizerJson } from "../../../src/packing/synthetic/byte-tokenizer.ts";
import { loadTokenizer } from "../../../src/tokenizer/tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const at = temporaryFolder();
const TOKENIZER = loadTokenizer(new TextEncoder().encode(JSON.stringify(byteTokenizerJson())), {
  ...byteTokenizerConfig(4_096),
});
const T = 48;

function read(data: { next(inputs: Uint32Array, targets: Uint32Array): void }, sequences: number) {
  const inputs = new Uint32Array(sequences * T);
  const targets = new Uint32Array(sequences * T);
  data.next(inputs, targets);
  return { inputs: [...inputs], targets: [...targets] };
}

describe("sequences of the corpus", () => {
  const seeds = { training_seed_begin: 7, held_out_seed_begin: 2 ** 31 + 3 };
  const sizes = { sequence_tokens: T, held_out_tokens: 5_000 };
  const open = () => new CorpusData(TOKENIZER, seeds, sizes);

  test("are the documents one after the other, each target the token after its input", () => {
    const { inputs, targets } = read(open(), 60);
    const texts = [...storyDocuments(7, 20)].map(markedText);
    const ids = texts.flatMap((text) => TOKENIZER.encode(text, { add_special_tokens: false }));
    expect(inputs).toEqual(ids.slice(0, 60 * T));
    expect(targets).toEqual(ids.slice(1, 60 * T + 1));
  });

  test("go on from a position", () => {
    const whole = read(open(), 30);
    const first = open();
    read(first, 13);
    const second = open();
    second.restore(JSON.parse(JSON.stringify(first.position)));
    expect(read(second, 17).inputs).toEqual(whole.inputs.slice(13 * T));
  });

  test("end where held-out seeds begin", () => {
    const last = new CorpusData(TOKENIZER, { ...seeds, training_seed_begin: 2 ** 31 - 1 }, sizes);
    expect(() => read(last, 1_000)).toThrow(
      "data.corpus.training_seed_begin: expected a seed that leaves enough documents before the held-out ones",
    );
  });

  test("leave the held-out text alone", () => {
    const data = open();
    const [first] = storyDocuments(2 ** 31 + 3, 2 ** 31 + 4);
    expect(data.held_out_text.startsWith(first === undefined ? "?" : markedText(first))).toBe(true);
    const length = TOKENIZER.encode(data.held_out_text, { add_special_tokens: true }).length;
    expect(length).toBeGreaterThanOrEqual(5_000);
  });

  test("are refused when the held-out seeds give too little", () => {
    const late = { ...seeds, held_out_seed_begin: 2 ** 32 - 1 };
    expect(() => new CorpusData(TOKENIZER, late, { ...sizes, held_out_tokens: 100_000 })).toThrow(
      "data.corpus.held_out_seed_begin: expected a seed that leaves documents of 100000 tokens, received 4294967295",
    );
  });
});

describe("sequences of text files", () => {
  const texts = { held_out_fraction: 0.25, document_separator: "\n\n", document_end: "\n" };
  const documents = Array.from(
    { length: 40 },
    (_, index) => `document ${index} tells of ${index * index} things`,
  );
  const path = at("texts.txt");
  writeFileSync(path, documents.join("\n\n"));
  const open = (seed = 1) =>
    new TextData(TOKENIZER, { ...texts, files: [path] }, { sequence_tokens: T, seed });

  test("lie within the training documents", () => {
    const joined = documents
      .slice(0, 30)
      .map((text) => `${text}\n`)
      .join("");
    const { inputs, targets } = read(open(), 20);
    for (let sequence = 0; sequence < 20; sequence += 1) {
      const ids = [...inputs.slice(sequence * T, (sequence + 1) * T), targets[(sequence + 1) * T - 1] ?? 0];
      expect(joined).toContain(TOKENIZER.decode(ids, { skip_special_tokens: false }));
    }
    expect(open().held_out_text).toBe(
      documents
        .slice(30)
        .map((text) => `${text}\n`)
        .join(""),
    );
  });

  test("differ by seed, and are the same after going on", () => {
    const whole = read(open(), 12);
    expect(read(open(), 12)).toEqual(whole);
    expect(read(open(2), 12)).not.toEqual(whole);
    const second = open();
    second.restore({ sequences: 5, next_seed: 0, pending: [] });
    expect(read(second, 7).inputs).toEqual(whole.inputs.slice(5 * T));
  });

  test("are refused when the texts are shorter than one", () => {
    const short = at("short.txt");
    writeFileSync(short, "a b c\n\nd e f");
    expect(
      () => new TextData(TOKENIZER, { ...texts, files: [short] }, { sequence_tokens: T, seed: 1 }),
    ).toThrow("data.texts.files: expected training texts of more than 48 tokens, a sequence");
  });

  test("a single document gives its end", () => {
    expect(splitDocuments(["0123456789"], 0.2)).toEqual({ training: ["01234567"], held_out: ["89"] });
    const { training, held_out } = splitDocuments(["abcdefg\u{1f600}z"], 0.2);
    expect([training, held_out]).toEqual([["abcdefg\u{1f600}"], ["z"]]);
    expect(() => splitDocuments([], 0.2)).toThrow(
      "data.texts.files: expected texts to train on, received none",
    );
  });
});
