/** What PartialFile gathers into large pieces arrives where it was written, in whatever order and sizes it comes. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PartialFile } from "../../src/format/partial-file.ts";
import { randomNumbers } from "./sample-file.ts";

const folder = mkdtempSync(join(tmpdir(), "partial-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PIECE = 2 << 20;
const FILE_MAX = 4 * PIECE;

/** Writes of random bytes, and the same into plain memory. */
function expectWritten(random: () => number, steps: readonly { offset: number; count: number }[]): void {
  const target = join(folder, "file");
  const file = PartialFile.create(target);
  const expected = new Uint8Array(FILE_MAX * 2);
  let end = 0;
  for (const { offset, count } of steps) {
    const value = 1 + Math.floor(random() * 255);
    const bytes = Uint8Array.from({ length: count }, (_, index) => value + (index % 7));
    file.write(bytes, offset);
    // The caller's bytes may change as soon as `write` returns.
    const copy = bytes.slice();
    bytes.fill(0);
    expected.set(copy, offset);
    end = Math.max(end, offset + count);
  }
  const header = Uint8Array.of(9, 8, 7);
  file.commit(header);
  expected.set(header, 0);
  expect(statSync(target).size).toBe(Math.max(end, header.length));
  expect(readFileSync(target).equals(expected.subarray(0, Math.max(end, header.length)))).toBe(true);
}

test("one after another, with gaps, across pieces", () => {
  const random = randomNumbers(1);
  let position = 64;
  const next = () => {
    const offset = position + Math.floor(random() * 5000);
    const count = Math.floor(random() * (random() < 0.2 ? PIECE * 1.5 : 60_000));
    position = offset + count;
    return { offset, count };
  };
  expectWritten(random, Array.from({ length: 25 }, next));
});

test("in any order, over what was written before", () => {
  for (let seed = 2; seed < 8; seed += 1) {
    const random = randomNumbers(seed);
    const anywhere = () => ({
      offset: Math.floor(random() * (random() < 0.5 ? 3000 : FILE_MAX)),
      count: Math.floor(random() * (random() < 0.2 ? PIECE * 1.5 : 2000)),
    });
    expectWritten(random, Array.from({ length: 30 }, anywhere));
  }
});

test("nothing but the header, and pieces that end exactly", () => {
  const random = randomNumbers(9);
  expectWritten(random, []);
  expectWritten(random, [
    { offset: 0, count: PIECE },
    { offset: PIECE, count: 2 * PIECE },
  ]);
});
