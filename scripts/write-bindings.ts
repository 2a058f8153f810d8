/** Writes src/native/symbols.ts from the Zig declarations: `bun scripts/write-bindings.ts`. */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** What src/native/symbols.ts must say for the present Zig sources, formatted as the rest of the code. */
export async function bindingsText(): Promise<string> {
  const own_zig = join(ROOT, ".toolchain", "zig", "ziglang", "zig");
  const zig = Bun.which("zig") ?? own_zig;
  const printed = Bun.spawnSync([zig, "build", "bindings"], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  if (!printed.success) throw new Error(`zig build bindings failed:\n${printed.stderr.toString()}`);
  const biome = join(ROOT, "node_modules", ".bin", "biome");
  const formatted = Bun.spawnSync([biome, "format", "--stdin-file-path=src/native/symbols.ts"], {
    cwd: ROOT,
    stdin: printed.stdout,
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!formatted.success) throw new Error(`biome format failed:\n${formatted.stderr.toString()}`);
  return formatted.stdout.toString();
}

if (import.meta.main) {
  await Bun.write(join(ROOT, "src", "native", "symbols.ts"), await bindingsText());
}
