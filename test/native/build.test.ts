/** The toolchain's version rule, and the bindings that must match the Zig declarations. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bindingsText } from "../../scripts/write-bindings.ts";
import { builtLibrary, pinnedZigVersion, zigVersionFits } from "../../src/native/build.ts";

test("a Zig fits when its minor version is the pinned one and its patch is not older", () => {
  expect(zigVersionFits("0.17.1", "0.17.1")).toBe(true);
  expect(zigVersionFits("0.17.4", "0.17.1")).toBe(true);
  expect(zigVersionFits("0.17.0", "0.17.1")).toBe(false);
  expect(zigVersionFits("0.18.0", "0.17.1")).toBe(false);
  expect(zigVersionFits("1.17.1", "0.17.1")).toBe(false);
  expect(zigVersionFits("0.17.2-dev.3+abc", "0.17.1")).toBe(false);
  expect(zigVersionFits("not a version", "0.17.1")).toBe(false);
});

test("the pin is a plain version", () => {
  expect(pinnedZigVersion()).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the library is built once: the second call gives the same file", () => {
  const path = builtLibrary();
  expect(existsSync(path)).toBe(true);
  expect(builtLibrary()).toBe(path);
}, 600_000);

test("src/native/symbols.ts is what zig build bindings prints", async () => {
  const file = join(import.meta.dir, "..", "..", "src", "native", "symbols.ts");
  expect(await Bun.file(file).text()).toBe(await bindingsText());
}, 600_000);
