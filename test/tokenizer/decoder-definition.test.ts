/** Decoders that can be streamed, and the refusal of all others by name. */
import { describe, expect, test } from "bun:test";
import { readDecoderDefinition } from "../../src/tokenizer/decoder-definition.ts";
import { errorOf, PIECES_DECODER } from "./fixtures.ts";

const REPLACE = { type: "Replace", pattern: { String: "▁" }, content: " " };
const FUSE = { type: "Fuse" };

function sequence(...decoders: unknown[]): unknown {
  return { type: "Sequence", decoders };
}

describe("readDecoderDefinition", () => {
  test("understands the byte alphabet, alone or as the only step", () => {
    expect(readDecoderDefinition({ type: "ByteLevel" })).toEqual({ kind: "byte_level" });
    expect(readDecoderDefinition(sequence({ type: "ByteLevel" }))).toEqual({ kind: "byte_level" });
  });

  test("understands pieces, with and without bytes and strip", () => {
    expect(readDecoderDefinition(PIECES_DECODER)).toEqual({
      kind: "pieces",
      replacements: [{ pattern: "▁", content: " " }],
      byte_fallback: true,
      strip: { content: " ", count: 1 },
    });
    expect(readDecoderDefinition(sequence(REPLACE, FUSE))).toEqual({
      kind: "pieces",
      replacements: [{ pattern: "▁", content: " " }],
      byte_fallback: false,
      strip: { content: "", count: 0 },
    });
  });

  test("refuses every other decoder, by its type", () => {
    const cases: [unknown, string][] = [
      [null, "none"],
      ["ByteLevel", '"ByteLevel"'],
      [{ type: "WordPiece" }, '"WordPiece"'],
      [{ type: "Metaspace" }, '"Metaspace"'],
      [{ type: "Sequence" }, "a Sequence without decoders"],
      [sequence(5), "a Sequence that holds 5"],
      [sequence(), "none"],
      [sequence(FUSE), '"Fuse"'],
      [sequence(REPLACE, { type: "ByteLevel" }), '"Replace", "ByteLevel"'],
      [sequence({ type: "ByteFallback" }, REPLACE), '"ByteFallback", "Replace"'],
      [sequence(REPLACE, FUSE, REPLACE), '"Replace", "Fuse", "Replace"'],
      [sequence(REPLACE, { type: "Strip", content: " ", start: 1, stop: 0 }), '"Replace", "Strip"'],
      [
        sequence({ ...REPLACE, pattern: { Regex: "▁" } }),
        "a Replace whose pattern or content is not a plain text",
      ],
      [
        sequence({ ...REPLACE, pattern: { String: "" } }),
        "a Replace whose pattern or content is not a plain text",
      ],
      [sequence({ ...REPLACE, content: 5 }), "a Replace whose pattern or content is not a plain text"],
    ];
    for (const [decoder, received] of cases) {
      const error = errorOf(() => readDecoderDefinition(decoder));
      expect(error.code).toBe("tokenizer_unsupported");
      expect(error.message).toBe(
        "tokenizer.json: decoder: expected ByteLevel, or a Sequence of Replace, ByteFallback, Fuse and Strip in this " +
          `order, received ${received}. This tokenizer's text cannot be streamed faithfully; ` +
          "use a checkpoint with another one",
      );
    }
  });

  test("refuses strips that cannot be streamed", () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ content: "ab", start: 1, stop: 0 }, "a Strip of something else than one character"],
      [{ content: "\ud83d", start: 1, stop: 0 }, "a Strip of something else than one character"],
      [{ content: " ", start: 0, stop: 1 }, "a Strip that cuts at the end"],
      [{ content: " ", start: 1 }, "a Strip that cuts at the end"],
      [{ content: " ", start: -1, stop: 0 }, "a Strip whose start is no count from 0 to 1024"],
      [{ content: " ", start: 1e9, stop: 0 }, "a Strip whose start is no count from 0 to 1024"],
    ];
    for (const [strip, received] of cases) {
      const error = errorOf(() =>
        readDecoderDefinition(sequence(REPLACE, FUSE, { type: "Strip", ...strip })),
      );
      expect(error.code).toBe("tokenizer_unsupported");
      expect(error.received).toBe(received);
    }
  });
});
