/** Part of `bun run check`: the Zig sources are as `zig fmt` writes them. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const own_zig = join(import.meta.dir, "..", ".toolchain", "zig", "ziglang", "zig");
const zig = Bun.which("zig") ?? (existsSync(own_zig) ? own_zig : null);
if (zig === null) {
  process.stderr.write(
    "error: checking the Zig sources needs zig: expected it on PATH or in .toolchain, found neither. " +
      "Run 'sh scripts/with-toolchain.sh bun run check'\n",
  );
  process.exit(1);
}
const result = Bun.spawnSync([zig, "fmt", "--check", "build.zig", "zig"], {
  cwd: join(import.meta.dir, ".."),
  stdout: "pipe",
  stderr: "inherit",
});
if (!result.success) {
  process.stderr.write(
    `error: not as zig fmt writes them:\n${result.stdout.toString()}Run 'zig fmt build.zig zig'\n`,
  );
  process.exit(1);
}
