/** The corpus as a whole: the same for ever, varied, well-formed English, and answers that fulfil their requests. */
import { describe, expect, test } from "bun:test";
import {
  COURSE_SEED_BEGIN,
  HELD_OUT_SEED_BEGIN,
  markedText,
  SEED_END,
  type StoryDocument,
  storyDocuments,
} from "../../../scripts/corpus/documents.ts";

const COUNT = 6_000;
const documents = [...storyDocuments(0, COUNT)];
const held_out = [...storyDocuments(HELD_OUT_SEED_BEGIN, HELD_OUT_SEED_BEGIN + 300)];
const stories = documents.filter(({ chat }) => chat === null).map(({ text }) => text);

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z']+/g) ?? [];
}

function ngramsOf(text: string, length: number): string[] {
  const words = wordsOf(text);
  return words.slice(length - 1).map((_, index) => words.slice(index, index + length).join(" "));
}

describe("seeds", () => {
  test("tell the same for ever", () => {
    const hash = new Bun.CryptoHasher("sha256");
    for (const document of documents.slice(0, 1_000)) hash.update(markedText(document));
    // Changes only with the corpus itself, and then every model trained on it is of another corpus.
    expect(hash.digest("hex")).toBe("b18205f5eb4f4c863555b1cb2d25ecdc92a19d5783d52daa9815218b7e4e88c3");
    expect([...storyDocuments(17, 20)]).toEqual(documents.slice(17, 20));
  });

  test("never tell the same twice", () => {
    expect(new Set([...documents, ...held_out].map(markedText)).size).toBe(COUNT + held_out.length);
  });

  test("reach to the last, and no further", () => {
    expect([...storyDocuments(SEED_END - 1, SEED_END)]).toHaveLength(1);
    for (const bad of [-1, 0.5, SEED_END + 1, Number.NaN]) {
      expect(() => [...storyDocuments(0, bad)]).toThrow(
        `seed_end: expected a whole number from 0 to 4294967296, received ${bad}`,
      );
    }
  });
});

describe("variety", () => {
  test("of words, names left out", () => {
    const words = stories.flatMap((story) => story.match(/(?<![A-Za-z'])[a-z]+/g) ?? []);
    expect(new Set(words).size).toBeGreaterThan(2_000);
  });

  test("of lengths: a hundred words and more, and not too long", () => {
    const lengths = stories.map((story) => wordsOf(story).length).sort((one, other) => one - other);
    expect(lengths[Math.floor(lengths.length * 0.02)]).toBeGreaterThan(90);
    expect(lengths.at(-1)).toBeLessThan(330);
  });

  test("of runs of eight words, within the corpus and against held-out stories", () => {
    const ngrams = stories.flatMap((story) => ngramsOf(story, 8));
    const seen = new Set(ngrams);
    expect(seen.size / ngrams.length).toBeGreaterThan(0.2);
    const others = held_out.filter(({ chat }) => chat === null).flatMap(({ text }) => ngramsOf(text, 16));
    const seen_long = new Set(stories.flatMap((story) => ngramsOf(story, 16)));
    const repeated = others.filter((ngram) => seen_long.has(ngram)).length;
    expect(repeated / others.length).toBeLessThan(0.25);
  });
});

describe("English", () => {
  test("has nothing of the notation left, and no blanks too many", () => {
    for (const { text } of documents)
      expect(text).not.toMatch(/[[\]{}|¶]| {2}|\n{3}|\s$|^\s| [.,!?;]|undefined/);
  });

  test("begins sentences with capitals and closes quotations", () => {
    for (const story of stories) {
      expect(story).not.toMatch(/(?:^|[.!?] |\n)"?[a-z]/);
      expect(story).not.toMatch(/[a-z]\.?" [a-z]|[!?][,.!?]|,[,.]/);
      for (const paragraph of story.split("\n\n")) {
        expect((paragraph.match(/"/g) ?? []).length % 2).toBe(0);
        expect(paragraph).toMatch(/[.!?]"?$/);
        const quoted = paragraph.split('"').filter((_, index) => index % 2 === 1);
        for (const speech of quoted) expect(speech).toMatch(/^\S[\s\S]*[.,!?:]$/);
      }
    }
  });

  test("has the right articles", () => {
    for (const story of stories) {
      expect(story).not.toMatch(/\b[aA] (?!uni|use|one\b)[aeiou]/);
      expect(story).not.toMatch(/\b[aA]n (?!hour|honest)[^aeiou]/);
      expect(story).not.toMatch(/\b(\w+) \1\b(?<!had had|that that|again and again)/);
    }
  });
});

describe("chats", () => {
  const chats = documents.flatMap(({ chat }) => (chat === null ? [] : [chat]));

  test("are about a third", () => {
    expect(chats.length / COUNT).toBeGreaterThan(0.27);
    expect(chats.length / COUNT).toBeLessThan(0.33);
  });

  test("answer with the name and the kind that were asked for", () => {
    const named = chats.flatMap(({ user, assistant }) => {
      const match = /\b([a-z]+) (?:named|called) ([a-z]+)/i.exec(user);
      return match === null ? [] : [{ kind: match[1] ?? "?", name: match[2] ?? "?", assistant }];
    });
    expect(named.length).toBeGreaterThan(chats.length / 4);
    for (const { kind, name, assistant } of named) {
      expect(assistant.toLowerCase()).toContain(name.toLowerCase());
      expect(assistant.toLowerCase()).toContain(kind.toLowerCase());
    }
  });
});

describe("the course", () => {
  const at = (place: number) => [
    ...storyDocuments(COURSE_SEED_BEGIN + place, COURSE_SEED_BEGIN + place + 500),
  ];
  const isEcho = ({ chat }: StoryDocument) => chat?.user.includes(chat.assistant) === true;
  const shareAt = (place: number) => at(place).filter(isEcho).length / 500;

  test("begins with echoes only, and ends with a fifth of them", () => {
    expect(at(0).every(isEcho)).toBe(true);
    expect(shareAt(11_250)).toBeCloseTo(0.6, 1);
    expect(shareAt(200_000)).toBeCloseTo(0.2, 1);
    expect(documents.filter(isEcho)).toEqual([]);
  });

  test("is the same for ever", () => {
    const hash = new Bun.CryptoHasher("sha256");
    for (const document of [...at(0), ...at(10_000)]) hash.update(markedText(document));
    expect(hash.digest("hex")).toBe("203b6ef74ea6f3d93332d23476139a57b3bb6b2793d41b03cba407a6b8727fa4");
  });
});
