/** Reading ranges of files and memory, and each way in which it can be refused. */
import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memorySource, openFileSource } from "../../src/format/byte-source.ts";
import { refusal } from "./refusal.ts";
import { inTemporaryFolder } from "./sample-file.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, index) => index);

test("memory and file give the same ranges, in arrays of their own", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "bytes");
    writeFileSync(path, BYTES);
    const file = openFileSource(path);
    for (const source of [file, memorySource(BYTES)]) {
      expect(source.bytes).toBe(100);
      expect(source.read(0, 100)).toEqual(BYTES);
      expect(source.read(97, 3)).toEqual(Uint8Array.of(97, 98, 99));
      expect(source.read(100, 0)).toEqual(new Uint8Array(0));
      source.read(0, 10).fill(255);
      expect(source.read(0, 2)).toEqual(Uint8Array.of(0, 1));
    }
    file.close();
    file.close();
    expect(refusal(() => file.read(0, 1)).code).toBe("closed");
  });
});

test.each([
  [101, 0],
  [100, 1],
  [0, 101],
  [-1, 1],
  [0, -1],
  [0.5, 1],
  [0, Number.NaN],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [0, 2 ** 52],
])("a range outside is refused before memory is taken: offset %p, length %p", (offset, length) => {
  expect(refusal(() => memorySource(BYTES).read(offset, length))).toEqual({
    code: "format_invalid",
    message: `a range of the file: expected to lie in its 100 bytes, received ${length} bytes at offset ${offset}`,
  });
});

test("a missing file, a folder, and a file that shrinks", async () => {
  await inTemporaryFolder(async (folder) => {
    const missing = join(folder, "missing");
    expect(refusal(() => openFileSource(missing))).toEqual({
      code: "file_not_found",
      message: `${missing}: expected a file that can be read, received no such file. Check the path`,
    });
    expect(refusal(() => openFileSource(folder))).toEqual({
      code: "file_unreadable",
      message: `${folder}: expected a file, received something else`,
    });
    const path = join(folder, "bytes");
    writeFileSync(path, BYTES);
    expect(refusal(() => openFileSource(join(path, "below"))).code).toBe("file_not_found");
    const source = openFileSource(path);
    truncateSync(path, 40);
    expect(refusal(() => source.read(30, 20))).toEqual({
      code: "format_invalid",
      message:
        `${path}: expected 20 bytes at offset 30, received the file's end after 10. ` +
        "The file was cut while it was read; get it again",
    });
    source.close();
  });
});
