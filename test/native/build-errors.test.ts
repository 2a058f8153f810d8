/** What building and loading the kernels says when it cannot: a made-up project, a PATH with what a test puts there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pinnedZigVersion } from "../../src/native/build.ts";

const ROOT = join(import.meta.dir, "..", "..");
let place: string;

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "sherry-build-"));
  for (const folder of ["src/native", "zig", "bin"]) mkdirSync(join(place, folder), { recursive: true });
  for (const file of ["package.json", "build.zig", "src/errors.ts", "src/native/build.ts"]) {
    copyFileSync(join(ROOT, file), join(place, file));
  }
});
afterAll(() => {
  rmSync(place, { recursive: true });
});

/** What a child prints of the error that `program` throws: its code, then its message. */
function refusal(program: string, environment: Record<string, string>): string {
  const code = `try { ${program} } catch (error) { console.log(error.code + ": " + error.message); }`;
  const child = Bun.spawnSync([process.execPath, "-e", code], {
    env: environment,
    stdout: "pipe",
    stderr: "pipe",
  });
  return child.stdout.toString();
}

function build(): string {
  const module_path = JSON.stringify(join(place, "src/native/build.ts"));
  return refusal(`(await import(${module_path})).builtLibrary();`, { PATH: join(place, "bin") });
}

function writeZig(body: string): void {
  const path = join(place, "bin", "zig");
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

test("without Zig, and with one that does not fit, it says which is needed and how to get it", () => {
  expect(build()).toStartWith(
    `toolchain_missing: building the kernels needs Zig: expected Zig ${pinnedZigVersion()} on PATH or in .toolchain/zig, received none. Run 'sh scripts/with-toolchain.sh`,
  );
  writeZig("echo 0.3.0");
  expect(build()).toContain(`received ${join(place, "bin", "zig")} (0.3.0)`);
});

test("a build that fails shows Zig's own words and which Zig it was", () => {
  writeZig(`if [ "$1" = version ]; then echo ${pinnedZigVersion()}; else echo "zig said no" >&2; exit 3; fi`);
  const said = build();
  expect(said).toStartWith("build_failed: zig build: expected libsherry");
  expect(said).toContain("received exit code 3\nzig said no\n");
  expect(said).toContain(`Zig ${pinnedZigVersion()} came from ${join(place, "bin", "zig")}`);
});

test("a file that is no library is refused by name", () => {
  const path = join(place, "not-a-library.so");
  writeFileSync(path, "text");
  const module_path = JSON.stringify(join(ROOT, "src/native/library.ts"));
  const said = refusal(`(await import(${module_path})).library();`, { SHERRY_LIBRARY: path });
  expect(said).toStartWith(
    "native_mismatch: the kernel library does not load: expected a library with every symbol",
  );
  expect(said).toContain(path);
  expect(said).toContain("unset SHERRY_LIBRARY");
});
