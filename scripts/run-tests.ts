/**
 * Every test of the project under one roof: `bun test` and `zig build test`, their output as it comes, and one closing
 * line over both: N passed, N failed, N skipped. Exits 1 when anything failed or a runner ran no test at all.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const ROOT = join(import.meta.dir, "..");

/** Reads `bun test`'s closing counts (" 12 pass", " 1 skip", " 0 fail"). Null when there are none. */
export function bunCounts(output: string): Counts | null {
  const last = (word: string) => [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, "gm"))].at(-1)?.[1];
  const passed = last("pass");
  if (passed === undefined) return null;
  const skipped = Number(last("skip") ?? 0) + Number(last("todo") ?? 0);
  return { passed: Number(passed), failed: Number(last("fail") ?? 0), skipped };
}

/** Reads `zig build --summary all`'s line ("97/98 tests passed; 1 skipped"). Null when there is none. */
export function zigCounts(output: string): Counts | null {
  const line = /(\d+)\/(\d+) tests passed(.*)$/m.exec(output);
  if (line === null) return null;
  const passed = Number(line[1]);
  const skipped = Number(/(\d+) skipped/.exec(line[3] ?? "")?.[1] ?? 0);
  return { passed, failed: Number(line[2]) - passed - skipped, skipped };
}

async function runner(
  name: string,
  command: string[],
  count: (output: string) => Counts | null,
): Promise<Counts> {
  process.stdout.write(`\n== ${name}\n`);
  const child = Bun.spawn(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  let output = "";
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      output += decoder.decode(bytes, { stream: true });
      process.stdout.write(bytes);
    }
  };
  await Promise.all([follow(child.stdout), follow(child.stderr)]);
  const exit_code = await child.exited;
  const ansi = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
  const counts = count(output.replaceAll(ansi, "")) ?? { passed: 0, failed: 0, skipped: 0 };
  if (counts.passed + counts.failed === 0) {
    process.stdout.write(`${name} closed without running a test (exit code ${exit_code})\n`);
    return { ...counts, failed: 1 };
  }
  // A runner may fail beside its tests (a file that does not load, a leak at the end).
  return exit_code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

if (import.meta.main) {
  const own_zig = join(ROOT, ".toolchain", "zig", "ziglang", "zig");
  const zig = Bun.which("zig") ?? (existsSync(own_zig) ? own_zig : "zig");
  // Building first keeps the minutes that a first build takes out of the tests' own time limits.
  const results = [
    await runner("zig build test", [zig, "build", "test", "--summary", "all"], zigCounts),
    await runner("bun test", [process.execPath, "test", ...process.argv.slice(2)], bunCounts),
  ];
  const sum = (field: keyof Counts) => results.reduce((total, counts) => total + counts[field], 0);
  process.stdout.write(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`);
  process.exit(sum("failed") === 0 ? 0 : 1);
}
