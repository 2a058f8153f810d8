/** Files and folders that appear whole: what was there stays until the new one is ready. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeWholeFile, writeWholeFolder } from "../../../scripts/training/whole-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const at = temporaryFolder();

describe("a whole file", () => {
  test("is written with the folders above it, and replaced", () => {
    const path = at("deep/down/file.txt");
    writeWholeFile(path, "one");
    writeWholeFile(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(at("deep/down"))).toEqual(["file.txt"]);
  });

  test("cannot be written below a file", () => {
    writeFileSync(at("plain"), "");
    expect(() => writeWholeFile(at("plain/file.txt"), "")).toThrow("expected a place that can be written to");
  });
});

describe("a whole folder", () => {
  test("takes the place of the older one, and of what a crash left", () => {
    mkdirSync(at("model.partial"));
    writeFileSync(at("model.partial/stale"), "");
    writeWholeFolder(at("model"), (folder) => writeFileSync(join(folder, "a"), "1"));
    writeWholeFolder(at("model"), (folder) => writeFileSync(join(folder, "b"), "2"));
    expect(readdirSync(at("model"))).toEqual(["b"]);
    expect(existsSync(at("model.partial"))).toBe(false);
  });

  test("leaves the older one when it cannot be filled", () => {
    const fill = () => {
      throw new RangeError("no numbers");
    };
    expect(() => writeWholeFolder(at("model"), fill)).toThrow("received no numbers");
    expect(readdirSync(at("model"))).toEqual(["b"]);
  });
});
