/**
 * The house's rules as data and pure functions over file texts: which file may import which, how a file opens, how
 * long it may be, and what no file may contain. house.test.ts applies them to the repository and to wrong examples.
 */
import { posix } from "node:path";

/** Path from the repository's root, with forward slashes, to text. */
export type Files = ReadonlyMap<string, string>;

export interface Room {
  readonly floor: number;
  /** Files, or folders with a slash at the end, that may import each other. */
  readonly paths: readonly string[];
}

/** A file imports lower floors or its own room. */
export const ROOMS: readonly Room[] = [
  { floor: 0, paths: ["src/errors.ts"] },
  { floor: 0, paths: ["src/limits.ts"] },
  { floor: 1, paths: ["src/native/"] },
  { floor: 1, paths: ["src/format/"] },
  { floor: 1, paths: ["src/tokenizer/"] },
  { floor: 1, paths: ["src/sampling/"] },
  { floor: 2, paths: ["src/packing/"] },
  { floor: 2, paths: ["src/model/"] },
  { floor: 3, paths: ["src/generation/"] },
  { floor: 4, paths: ["src/scheduler/"] },
  { floor: 4, paths: ["src/bench/"] },
  { floor: 5, paths: ["src/server/"] },
  // The composition root puts the server together, so it stands on it.
  { floor: 5.5, paths: ["src/cli/"] },
  { floor: 6, paths: ["src/index.ts"] },
  { floor: 7, paths: ["scripts/"] },
  { floor: 8, paths: ["test/"] },
  { floor: 0, paths: ["zig/format.zig", "zig/format/"] },
  { floor: 0, paths: ["zig/cpu.zig"] },
  { floor: 1, paths: ["zig/kernels/"] },
  // The roots that gather the kernels of one instruction set into a table.
  { floor: 1.5, paths: ["zig/level_scalar.zig"] },
  { floor: 1.5, paths: ["zig/level_avx2.zig", "zig/level_avx512.zig"] },
  { floor: 2, paths: ["zig/thread_pool.zig"] },
  { floor: 3, paths: ["zig/c_abi.zig", "zig/c_abi/"] },
  // The bench's library borrows the C ABI's status codes and checks, and nothing borrows from it.
  { floor: 3.5, paths: ["zig/bench.zig", "zig/bench/"] },
  { floor: 3.6, paths: ["zig/bench_level_avx2.zig"] },
  // So does the training's library.
  { floor: 3.5, paths: ["zig/training_library.zig", "zig/training/"] },
  { floor: 3.6, paths: ["zig/training_level_avx2.zig"] },
  { floor: 4, paths: ["zig/bindings.zig"] },
  { floor: 4, paths: ["zig/tests.zig", "zig/tests_avx512.zig"] },
  { floor: 5, paths: ["build.zig", "zig/build/"] },
];

/** The one folder that may import it. */
export const GUARDED_IMPORTS = [{ specifier: "bun:ffi", folder: "src/native/" }] as const;

export const LINE_COUNT_MAX = 400;

export interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** The path it names when it is relative, else null. */
  readonly to: string | null;
}

const TRANSPILER = new Bun.Transpiler({ loader: "ts" });

/** Imports of values and of types, re-exports, dynamic imports and the files that workers start from. */
export function importsOf(path: string, text: string): Import[] {
  const specifiers = path.endsWith(".zig") ? zigSpecifiers(text) : typeScriptSpecifiers(text);
  return [...new Set(specifiers)].map((specifier) => ({
    from: path,
    specifier,
    to: isRelative(path, specifier) ? posix.join(posix.dirname(path), specifier) : null,
  }));
}

/** Zig names a file by its name alone, TypeScript by a path that begins with a dot. */
function isRelative(path: string, specifier: string): boolean {
  return path.endsWith(".zig") ? specifier.endsWith(".zig") : specifier.startsWith(".");
}

function zigSpecifiers(text: string): string[] {
  return [...text.replace(/\/\/.*$/gm, "").matchAll(/@import\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
}

function typeScriptSpecifiers(text: string): string[] {
  // The transpiler leaves out what is imported for its type alone; the patterns find that too. Comments are taken out
  // where they begin a line, since a path like "/v1/*" within a string only looks like one.
  const code = text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
  const patterns = [
    /\b(?:import|export)\s[^"';]*?\bfrom\s*"([^"]+)"/g,
    /\bimport\s*\(?\s*"([^"]+)"/g,
    /\bnew URL\("(\.[^"]+\.ts)",\s*import\.meta\.url\)/g,
  ];
  const found = patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
  return [...TRANSPILER.scanImports(text.replace(/^#!.*/, "")).map((scanned) => scanned.path), ...found];
}

/** Imports that go up a floor, sideways into another room, or to a file that stands nowhere. */
export function floorProblems(imports: readonly Import[], rooms: readonly Room[]): string[] {
  return imports.flatMap(({ from, to }) => {
    if (to === null || !/\.(ts|zig)$/.test(to)) return [];
    const from_room = roomOf(from, rooms);
    const to_room = roomOf(to, rooms);
    if (from_room === undefined || to_room === undefined) {
      return [`${from} imports ${to}, and one of them is on no floor`];
    }
    if (from_room === to_room || to_room.floor < from_room.floor) return [];
    const direction = to_room.floor > from_room.floor ? "up" : "sideways";
    return [`${from} (floor ${from_room.floor}) imports ${direction}: ${to} (floor ${to_room.floor})`];
  });
}

function roomOf(path: string, rooms: readonly Room[]): Room | undefined {
  return rooms.find((room) =>
    room.paths.some((part) => (part.endsWith("/") ? path.startsWith(part) : path === part)),
  );
}

/** Imports of a guarded module from outside its folder. */
export function guardProblems(imports: readonly Import[]): string[] {
  return GUARDED_IMPORTS.flatMap(({ specifier, folder }) =>
    imports
      .filter((found) => found.specifier === specifier && !found.from.startsWith(folder))
      .map((found) => `${found.from} imports ${specifier}, which only ${folder} may`),
  );
}

/**
 * Circles among files, each once. In zig/ a facade and the folder of its variants count as one file: the variants take
 * the contract from the facade, which tests them against each other.
 */
export function circleProblems(imports: readonly Import[]): string[] {
  const paths = new Set(imports.map(({ from }) => from));
  const unit = (path: string) => {
    const facade = `${posix.dirname(path)}.zig`;
    return path.endsWith(".zig") && paths.has(facade) ? facade : path;
  };
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (to === null || unit(from) === unit(to)) continue;
    edges.set(unit(from), (edges.get(unit(from)) ?? new Set()).add(unit(to)));
  }
  const finished = new Set<string>();
  const problems: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      problems.push(`a circle: ${[...trail.slice(trail.indexOf(path)), path].join(" → ")}`);
      return;
    }
    if (finished.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return problems;
}

/** Files that do not open with a comment that says what they are. */
export function openingProblems(files: Files): string[] {
  return [...files].flatMap(([path, text]) => {
    const first_lines = text.replace(/^#!.*\n/, "").trimStart();
    return openingOf(path).test(first_lines)
      ? []
      : [`${path} does not open with a comment that says what it is`];
  });
}

function openingOf(path: string): RegExp {
  if (path.endsWith(".zig")) return /^\/\/[/!]? \S/;
  return path.endsWith(".py") ? /^"""\S/ : /^(?:\/\/ \S|\/\*\*?\s+(?:\* )?\S)/;
}

export function lengthProblems(files: Files, line_count_max = LINE_COUNT_MAX): string[] {
  return [...files].flatMap(([path, text]) => {
    const line_count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    return line_count <= line_count_max
      ? []
      : [`${path} has ${line_count} lines, more than ${line_count_max}`];
  });
}

interface Forbidden {
  readonly what: string;
  readonly pattern: RegExp;
}

/** What no text of the repository contains. */
export const FORBIDDEN_TEXTS: readonly Forbidden[] = [
  { what: "a path of one machine", pattern: /(?<![\w.:/-])\/(?:work|root|home)\/\w/ },
  {
    what: "the host of a package registry",
    pattern:
      /https?:\/\/[^\s"'/]*(?:registry|artifactory|nexus|pythonhosted|mirror|proxy)[^\s"'/]*|https?:\/\/[^\s"']+\/(?:simple|npm)(?:\/|\b)/i,
  },
];

/** What no TypeScript contains, unless a comment says why. (Written so that no pattern finds itself.) */
export const FORBIDDEN_CODE: readonly Forbidden[] = [
  { what: "the type any", pattern: /\bas [a]ny\b|<[a]ny>|: [a]ny\s*[,;)=|>[\]]/ },
  {
    what: "a check switched off without a sentence that says why",
    pattern:
      /@ts-(?:ignore|expect-error|nocheck)(?!:? +(?:\S+ +){3}\S)|biome[-]ignore(?! \S+: +(?:\S+ +){3}\S)/,
  },
];

export function forbiddenProblems(files: Files, forbidden: readonly Forbidden[]): string[] {
  return [...files].flatMap(([path, text]) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        forbidden
          .filter(({ pattern }) => pattern.test(line))
          .map(({ what }) => `${path}:${index + 1} contains ${what}: ${line.trim().slice(0, 120)}`),
      ),
  );
}
