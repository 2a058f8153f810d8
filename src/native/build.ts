/**
 * Builds the kernels once and keeps them by the hash of their sources: the same sources and Zig version never build
 * twice, changed ones never load a stale library. Zig comes from PATH when its version fits, else from the folder that
 * set-up fills; nothing is ever installed here.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../errors.ts";

const PROJECT_ROOT = join(import.meta.dir, "..", "..");
const TOOLCHAIN = join(PROJECT_ROOT, ".toolchain");
const LIBRARY_EXTENSION = process.platform === "darwin" ? "dylib" : "so";

/**
 * What the sources build to: the product's library and the one that benches load beside it, built together, and the one
 * that training loads, built by a step of its own when training first asks for it.
 */
export const LIBRARIES = ["sherry", "sherry_bench", "sherry_training"] as const;
export type LibraryName = (typeof LIBRARIES)[number];

/** Steps of build.zig, the folder that each one's libraries go to, beside the others', and those libraries. */
const BUILDS: readonly { step: string; suffix: string; libraries: readonly LibraryName[] }[] = [
  { step: "install", suffix: "", libraries: ["sherry", "sherry_bench"] },
  { step: "training", suffix: ".training", libraries: ["sherry_training"] },
];

function libraryPath(folder: string, name: LibraryName): string {
  return join(folder, "lib", `lib${name}.${LIBRARY_EXTENSION}`);
}

/** The Zig version that the project is pinned to (package.json, config.zig_version). */
export function pinnedZigVersion(): string {
  const text = readFileSync(join(PROJECT_ROOT, "package.json"), "utf8");
  const version = (JSON.parse(text) as { config?: { zig_version?: unknown } }).config?.zig_version;
  if (typeof version !== "string") {
    throw new SherryError("toolchain_missing", "package.json", {
      expected: "config.zig_version",
      received: "none",
      next_step: "Restore package.json from the repository",
    });
  }
  return version;
}

/** Whether a Zig of version `found` builds sources pinned to `pinned`: same major and minor, patch at least as high. */
export function zigVersionFits(found: string, pinned: string): boolean {
  const parse = (version: string) => /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  const left = parse(found);
  const right = parse(pinned);
  if (left === undefined || right === undefined) return false;
  return left[0] === right[0] && left[1] === right[1] && (left[2] ?? 0) >= (right[2] ?? 0);
}

interface Zig {
  readonly path: string;
  readonly version: string;
  /** Where it may keep what it compiles; undefined leaves a user's own Zig its own place. */
  readonly global_cache: string | undefined;
}

function zigVersion(path: string): string | null {
  try {
    const result = Bun.spawnSync([path, "version"], { stdout: "pipe", stderr: "ignore" });
    return result.success ? result.stdout.toString().trim() : null;
  } catch {
    // Not an executable of this platform: as good as absent.
    return null;
  }
}

function findZig(): Zig {
  const pinned = pinnedZigVersion();
  const own = join(TOOLCHAIN, "zig", "ziglang", "zig");
  const seen: string[] = [];
  for (const path of [Bun.which("zig"), existsSync(own) ? own : null]) {
    if (path === null) continue;
    const version = zigVersion(path);
    if (version !== null && zigVersionFits(version, pinned)) {
      return { path, version, global_cache: path === own ? join(TOOLCHAIN, "zig-cache") : undefined };
    }
    seen.push(`${path} (${version ?? "does not run"})`);
  }
  throw new SherryError("toolchain_missing", "building the kernels needs Zig", {
    expected: `Zig ${pinned} on PATH or in .toolchain/zig`,
    received: seen.length === 0 ? "none" : seen.join(", "),
    next_step: "Run 'sh scripts/with-toolchain.sh bun run serve', which fetches it into the project's folder",
  });
}

function sourceFiles(): string[] {
  const inside = readdirSync(join(PROJECT_ROOT, "zig"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".zig"))
    .map((name) => join("zig", name));
  return ["build.zig", ...inside].sort();
}

function sourceHash(zig_version: string): string {
  const hasher = new Bun.CryptoHasher("sha256");
  hasher.update(`${zig_version} ${process.platform} ${process.arch}\n`);
  for (const name of sourceFiles()) {
    const content = readFileSync(join(PROJECT_ROOT, name));
    hasher.update(`${name} ${content.byteLength}\n`);
    hasher.update(content);
  }
  return hasher.digest("hex").slice(0, 32);
}

/**
 * The path of a library built from the present sources; builds it when there is none yet.
 * @throws SherryError toolchain_missing | build_failed, the latter with Zig's own output.
 */
export function builtLibrary(name: LibraryName = "sherry"): string {
  const hash = sourceHash(pinnedZigVersion());
  const build = BUILDS.find(({ libraries }) => libraries.includes(name));
  if (build === undefined) throw new SherryError("internal", `no build makes lib${name}`);
  const folder = join(TOOLCHAIN, "kernels", `${hash}${build.suffix}`);
  const library = libraryPath(folder, name);
  if (existsSync(library)) return library;
  const zig = findZig();
  const work = `${folder}.${process.pid}.partial`;
  mkdirSync(work, { recursive: true });
  try {
    buildInto(zig, work, build.step, build.libraries);
    // Another process may have finished the same build meanwhile; its result is as good as ours.
    if (!existsSync(library)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return library;
}

function buildInto(zig: Zig, folder: string, step: string, libraries: readonly LibraryName[]): void {
  if (zig.global_cache !== undefined && !existsSync(zig.global_cache)) {
    process.stderr.write(
      "Building the kernels. The first time, Zig compiles its own build tool too: about 3 minutes.\n",
    );
  } else {
    process.stderr.write("Building the kernels (once for these sources).\n");
  }
  const result = Bun.spawnSync([zig.path, "build", step, "--prefix", folder], {
    cwd: PROJECT_ROOT,
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...process.env,
      ...(zig.global_cache === undefined ? {} : { ZIG_GLOBAL_CACHE_DIR: zig.global_cache }),
    },
  });
  const missing = libraries.filter((name) => !existsSync(libraryPath(folder, name)));
  if (result.success && missing.length === 0) return;
  throw new SherryError("build_failed", "zig build", {
    expected: `lib${libraries.join(" and lib")}`,
    received: `exit code ${result.exitCode}\n${result.stderr.toString().trim()}\n`,
    next_step: `Zig ${zig.version} came from ${zig.path}; if the sources are unchanged, delete .toolchain and try again`,
  });
}
