/** Set-up on machines that lack something, or have it already: made-up PATHs, nothing fetched. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");
const pins: { config: { bun_version: string; zig_version: string } } = await Bun.file(
  join(ROOT, "package.json"),
).json();
const { bun_version, zig_version } = pins.config;

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "sherry-setup-"));
});
afterAll(() => {
  rmSync(place, { recursive: true });
});

let count = 0;

/** A copy of the script in a project of its own, run with nothing on PATH but basic tools and `programs`. */
function setUp(programs: Record<string, string>): { exit_code: number; output: string; errors: string } {
  count += 1;
  const project = join(place, `project ${count}`);
  const bin = join(project, "bin");
  mkdirSync(join(project, "scripts"), { recursive: true });
  mkdirSync(bin);
  copyFileSync(join(ROOT, "scripts", "with-toolchain.sh"), join(project, "scripts", "with-toolchain.sh"));
  copyFileSync(join(ROOT, "package.json"), join(project, "package.json"));
  for (const tool of ["sh", "sed", "head", "dirname", "awk", "rm", "mkdir", "mv"]) {
    symlinkSync(Bun.which(tool) ?? "", join(bin, tool));
  }
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!${Bun.which("sh")}\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const result = Bun.spawnSync(
    ["sh", "scripts/with-toolchain.sh", "sh", "-c", "echo ran with $(zig version)"],
    {
      cwd: project,
      env: { PATH: bin },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  return {
    exit_code: result.exitCode,
    output: result.stdout.toString(),
    errors: result.stderr.toString(),
  };
}

/** A Bun that says it is of `version` and installs packages by saying so. */
function fakeBun(version: string): string {
  return `if [ "$1" = install ]; then mkdir -p node_modules; echo installed >&2; else echo ${version}; fi`;
}

describe("with-toolchain.sh", () => {
  test("a Bun and a Zig that fit are used as they are: no npm, no Python", () => {
    const { exit_code, output, errors } = setUp({ bun: fakeBun(bun_version), zig: `echo ${zig_version}` });
    expect(errors).toBe("installed\n");
    expect(output).toBe(`ran with ${zig_version}\n`);
    expect(exit_code).toBe(0);
  });

  test("a newer Bun of the same major version fits; an older one and the next major do not", () => {
    const [major = 0, minor = 0] = bun_version.split(".").map(Number);
    const zig = `echo ${zig_version}`;
    expect(setUp({ bun: fakeBun(`${major}.${minor + 1}.0`), zig }).exit_code).toBe(0);
    for (const version of [`${major}.${minor - 1}.9`, `${major + 1}.0.0`, "canary"]) {
      const { exit_code, errors } = setUp({ bun: fakeBun(version), zig });
      expect(exit_code).toBe(1);
      expect(errors).toContain(`expected bun >= ${bun_version} on PATH, or npm`);
    }
  });

  test("without Bun and npm it says what to install", () => {
    const { exit_code, errors } = setUp({ zig: `echo ${zig_version}` });
    expect(exit_code).toBe(1);
    expect(errors).toContain("Install Bun or Node.js with npm");
  });

  test("without Zig and pip it says what to install, whether Python is absent or has no pip", () => {
    for (const programs of [{}, { python3: "exit 1" }]) {
      const { exit_code, errors } = setUp({ bun: fakeBun(bun_version), ...programs });
      expect(exit_code).toBe(1);
      expect(errors).toContain(`expected zig ${zig_version} on PATH, or Python with pip`);
    }
  });

  test("a Zig of another minor version does not fit", () => {
    const { exit_code, errors } = setUp({ bun: fakeBun(bun_version), zig: "echo 0.3.0" });
    expect(exit_code).toBe(1);
    expect(errors).toContain(`Zig ${zig_version} is needed`);
  });
});
