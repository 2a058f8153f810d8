/** The house style, as far as a test can hold it: the rules on the repository, and each rule on examples that break it. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  circleProblems,
  type Files,
  FORBIDDEN_CODE,
  FORBIDDEN_TEXTS,
  floorProblems,
  forbiddenProblems,
  guardProblems,
  importsOf,
  lengthProblems,
  openingProblems,
  ROOMS,
} from "./house-rules.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TOP_LEVEL = "{src,zig,scripts,test,docs,.ci}/**/*";
const TEXT_NAME =
  /\.(?:ts|zig|zon|json|jsonc|md|toml|sh|py|yml|yaml|html|css|txt|lock)$|(?:^|\/)[A-Za-z_-]+$/;

function readFiles(): Files {
  const paths = [`${TOP_LEVEL}`, "*"].flatMap((pattern) => [
    ...new Bun.Glob(pattern).scanSync({ cwd: ROOT, dot: true, onlyFiles: true }),
  ]);
  const texts = paths.filter((path) => TEXT_NAME.test(path)).sort();
  return new Map(texts.map((path) => [path, readFileSync(`${ROOT}/${path}`, "utf8")]));
}

function filter(files: Files, pattern: RegExp): Files {
  return new Map([...files].filter(([path]) => pattern.test(path)));
}

/** Of every file but this one, whose examples look like imports. */
function importsIn(files: Files) {
  return [...files].flatMap(([path, text]) => (path === "test/house.test.ts" ? [] : importsOf(path, text)));
}

describe("the repository", () => {
  const files = readFiles();
  const code = filter(files, /\.(?:ts|zig)$/);
  const python = filter(files, /\.py$/);

  test("is seen whole", () => {
    for (const path of [
      "package.json",
      "src/errors.ts",
      "src/server/app.ts",
      "zig/format.zig",
      "test/house.test.ts",
    ]) {
      expect(files.has(path)).toBe(true);
    }
    expect(importsIn(code).length).toBeGreaterThan(300);
  });

  test("imports go to lower floors or stay in their room", () => {
    expect(floorProblems(importsIn(code), ROOMS)).toEqual([]);
  });

  test("imports run in no circle", () => {
    expect(circleProblems(importsIn(code))).toEqual([]);
  });

  test("only src/native imports bun:ffi", () => {
    expect(guardProblems(importsIn(filter(code, /^src\//)))).toEqual([]);
    expect(importsIn(filter(code, /^src\/native\//)).some(({ specifier }) => specifier === "bun:ffi")).toBe(
      true,
    );
  });

  test("every file opens with what it is", () => {
    expect(openingProblems(code)).toEqual([]);
    expect(openingProblems(python)).toEqual([]);
  });

  test("no file is longer than 400 lines", () => {
    expect(lengthProblems(code)).toEqual([]);
    expect(lengthProblems(python)).toEqual([]);
  });

  test("no file names this machine or a registry", () => {
    expect(forbiddenProblems(files, FORBIDDEN_TEXTS)).toEqual([]);
  });

  test("no check is switched off in silence", () => {
    expect(forbiddenProblems(filter(code, /\.ts$/), FORBIDDEN_CODE)).toEqual([]);
  });
});

describe("the rules can fail", () => {
  const floors = (path: string, text: string) => floorProblems(importsOf(path, text), ROOMS);
  const line = (...words: string[]) => words.join(" ");

  test("floors", () => {
    expect(floors("src/format/a.ts", 'import { b } from "../model/b.ts";\nb();')).toEqual([
      "src/format/a.ts (floor 1) imports up: src/model/b.ts (floor 2)",
    ]);
    expect(floors("src/format/a.ts", 'import type { B } from "../native/b.ts";')).toEqual([
      "src/format/a.ts (floor 1) imports sideways: src/native/b.ts (floor 1)",
    ]);
    for (const text of [
      'export { b } from "../cli/b.ts";',
      'export * from "../cli/b.ts";',
      'import "../cli/b.ts";',
      'const b = await import("../cli/b.ts");',
      'import {\n  type B,\n  b,\n} from "../cli/b.ts";\nb();',
      'new Worker(new URL("../cli/b.ts", import.meta.url));',
    ]) {
      expect(floors("src/server/a.ts", text)).toHaveLength(1);
    }
    expect(floors("src/cli/a.ts", 'export { b } from "../../scripts/b.ts";')).toHaveLength(1);
    expect(floors("src/cli/a.ts", 'export { b } from "../../test/b.ts";')).toHaveLength(1);
    expect(floors("src/elsewhere/a.ts", 'import "../errors.ts";')).toEqual([
      "src/elsewhere/a.ts imports src/errors.ts, and one of them is on no floor",
    ]);
    expect(floors("zig/kernels/a.zig", 'const b = @import("../thread_pool.zig");')).toEqual([
      "zig/kernels/a.zig (floor 1) imports up: zig/thread_pool.zig (floor 2)",
    ]);
    expect(floors("zig/format.zig", 'const b = @import("cpu.zig");')).toHaveLength(1);
  });

  test("what is allowed passes", () => {
    expect(floors("src/cli/a.ts", 'import "../server/b.ts";\nimport "./c.ts";\nimport "hono";')).toEqual([]);
    expect(
      floors("src/cli/a.ts", 'import json from "../../package.json" with { type: "json" };\njson;'),
    ).toEqual([]);
    expect(floors("src/format/a.ts", '/**\n * import { b } from "../cli/b.ts";\n */\nexport {};')).toEqual(
      [],
    );
    expect(
      floors("zig/kernels/a/avx2.zig", 'const b = @import("../a.zig");\nconst std = @import("std");'),
    ).toEqual([]);
    expect(floors("zig/c_abi.zig", 'const b = @import("c_abi/b.zig"); // @import("tests.zig")')).toEqual([]);
  });

  test("circles", () => {
    const imports = [
      ...importsOf("src/a/one.ts", 'export { x } from "./two.ts";'),
      ...importsOf("src/a/two.ts", 'import type { X } from "./three.ts";'),
      ...importsOf("src/a/three.ts", 'export { x } from "./one.ts";'),
    ];
    expect(circleProblems(imports)).toEqual([
      "a circle: src/a/one.ts → src/a/two.ts → src/a/three.ts → src/a/one.ts",
    ]);
    expect(circleProblems(imports.slice(1))).toEqual([]);
    const facade = [
      ...importsOf("zig/k/a.zig", '@import("a/scalar.zig"); @import("b.zig");'),
      ...importsOf("zig/k/a/scalar.zig", '@import("../a.zig");'),
    ];
    expect(circleProblems(facade)).toEqual([]);
    const through = [...facade, ...importsOf("zig/k/b.zig", '@import("a/scalar.zig");')];
    expect(circleProblems(through)).toEqual(["a circle: zig/k/a.zig → zig/k/b.zig → zig/k/a.zig"]);
  });

  test("bun:ffi", () => {
    const text = 'import { dlopen } from "bun:ffi";\ndlopen("", {});';
    expect(guardProblems(importsOf("src/format/a.ts", text))).toEqual([
      "src/format/a.ts imports bun:ffi, which only src/native/ may",
    ]);
    expect(
      guardProblems(importsOf("src/format/a.ts", 'import type { Pointer } from "bun:ffi";')),
    ).toHaveLength(1);
    expect(guardProblems(importsOf("src/native/a.ts", text))).toEqual([]);
  });

  test("openings and lengths", () => {
    const opening = (path: string, text: string) => openingProblems(new Map([[path, text]])).length;
    expect(opening("a.zig", 'const std = @import("std");')).toBe(1);
    expect(opening("a.zig", "//\n")).toBe(1);
    expect(opening("a.zig", "//! What it is.\n")).toBe(0);
    expect(opening("a.ts", 'import "./b.ts";\n/** Late. */')).toBe(1);
    expect(opening("a.ts", "#!/usr/bin/env bun\n/**\n * What it is.\n */")).toBe(0);
    expect(opening("a.ts", "/** What it is. */")).toBe(0);
    expect(opening("a.py", "import os\n")).toBe(1);
    expect(opening("a.py", '#!/usr/bin/env python3\n"""What it is."""\n')).toBe(0);
    expect(lengthProblems(new Map([["a.ts", "x\n".repeat(401)]]))).toEqual([
      "a.ts has 401 lines, more than 400",
    ]);
    expect(lengthProblems(new Map([["a.ts", "x\n".repeat(400)]]))).toEqual([]);
  });

  test("forbidden texts", () => {
    const found = (text: string) => forbiddenProblems(new Map([["a.md", text]]), FORBIDDEN_TEXTS).length;
    for (const folder of ["work", "root", "home"])
      expect(found(`see ${["", folder, "someone"].join("/")}`)).toBe(1);
    for (const host of ["registry.npmjs", "files.pythonhosted", "artifactory.example"]) {
      expect(found(`https:${["", "", `${host}.org`, "a"].join("/")}`)).toBe(1);
    }
    expect(found(`https:${["", "", "packages.example", "simple", ""].join("/")}`)).toBe(1);
    expect(found("src/work/ and ./home/x and https://bun.sh/docs and https://arxiv.org/abs/2601.07892")).toBe(
      0,
    );
  });

  test("forbidden code", () => {
    const found = (text: string) => forbiddenProblems(new Map([["a.ts", text]]), FORBIDDEN_CODE).length;
    const ts_ignore = ["// @ts", "ignore"].join("-");
    const biome_ignore = ["// biome", "ignore lint/a/b"].join("-");
    expect(found(ts_ignore)).toBe(1);
    expect(found(`${biome_ignore}: sorry`)).toBe(1);
    expect(found(line(`${biome_ignore}:`, "the library types this parameter wrongly."))).toBe(0);
    expect(found(line("const a = b as", "any;"))).toBe(1);
    expect(found(line("function f(a:", "any) {}"))).toBe(1);
    expect(found("// whichever: any of them will do")).toBe(0);
  });
});
