/**
 * Thousands of directories and files made at random and signed, fixed seed: each is refused with a SherryError of code
 * format_invalid or format_unsupported, or what was read keeps every promise of the reader.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SherryError } from "../../src/errors.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { FILE, forgeTensor, watchedSource } from "./hostile-file.ts";
import { directoryText, type Forgery, signHeader, withDirectoryText } from "./sample-file.ts";

describe("properties, fast-check, fixed seed", () => {
  const text = directoryText(FILE);

  /** Either nothing changed, or the file is refused, or what was read keeps every promise of the reader. */
  function expectSafe(file: Uint8Array): void {
    const source = watchedSource(file);
    let opened: ReturnType<typeof readPackedFile>;
    try {
      opened = readPackedFile(source);
    } catch (error) {
      if (!(error instanceof SherryError)) throw error;
      expect(["format_invalid", "format_unsupported"]).toContain(error.code);
      expect(source.bytes_read).toBeLessThanOrEqual(file.length + 128);
      return;
    }
    let free_from = 128;
    for (const tensor of opened.directory.tensors) {
      expect(tensor.offset).toBeGreaterThanOrEqual(free_from);
      expect(tensor.offset % 64).toBe(0);
      free_from = tensor.offset + tensor.bytes;
    }
    expect(free_from).toBeLessThanOrEqual(opened.directory_offset);
  }

  test("a directory with one value replaced by anything", () => {
    const original: Forgery = JSON.parse(text);
    const paths = leafPaths(original);
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        0,
        1,
        -1,
        63,
        64,
        128,
        2 ** 31,
        2 ** 32,
        2 ** 53 - 64,
        2 ** 53,
        1e300,
        null,
        "",
        "NaN",
        [],
        {},
      ),
      fc.integer(),
      fc.nat(FILE.length).map((value) => value - (value % 64)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), anything, (path, value) => {
        const copy: unknown = structuredClone(original);
        replace(copy, path, value);
        expectSafe(withDirectoryText(FILE, JSON.stringify(copy)));
      }),
      { seed: 20_260_107, numRuns: 3_000 },
    );
  });

  test("a directory with offsets and sizes at random, aligned more often than not", () => {
    const range = fc.record({
      position: fc.nat(7),
      offset: fc.oneof(
        fc.nat(FILE.length >> 6).map((value) => value * 64),
        fc.maxSafeNat(),
      ),
      bytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(range, ({ position, offset, bytes }) => {
        expectSafe(forgeTensor(position, bytes === undefined ? { offset } : { offset, bytes }));
      }),
      { seed: 20_260_107, numRuns: 2_000 },
    );
  });

  test("a directory of bytes at random, and one cut, doubled or spliced", () => {
    const spliced = fc
      .tuple(fc.nat(text.length), fc.nat(text.length), fc.string())
      .map(([from, to, middle]) => text.slice(0, from) + middle + text.slice(to));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      spliced.map((value) => new TextEncoder().encode(value)),
    );
    fc.assert(
      fc.property(bytes, (directory) => expectSafe(withDirectoryText(FILE, directory))),
      { seed: 20_260_107, numRuns: 2_000 },
    );
  });

  test("a file of bytes at random behind the magic", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 120, maxLength: 400 }), fc.boolean(), (bytes, signed) => {
        const file = new Uint8Array(8 + bytes.length);
        file.set(FILE.subarray(0, 8));
        file.set(bytes, 8);
        file.set([1, 0, 0, 0], 8);
        expectSafe(signed ? signHeader(file) : file);
      }),
      { seed: 20_260_107, numRuns: 1_000 },
    );
  });
});

type Path = readonly (string | number)[];

function leafPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => leafPaths(child, [...path, key]))];
}

function replace(root: unknown, path: Path, value: unknown): void {
  let parent = root;
  for (const key of path.slice(0, -1)) parent = Reflect.get(Object(parent), key);
  const last = path.at(-1);
  if (last !== undefined) Reflect.set(Object(parent), last, value);
}
