/**
 * Writes test/golden/quantizers.json: what the Zig training kernels answer to fixed inputs, for the tests of both sides,
 * ours and scripts/torch's.
 *
 *   bun scripts/write-golden-vectors.ts
 *
 * On the scalar level, so that every machine writes the same bytes.
 */
import { join } from "node:path";
import { withNativeLayer } from "./golden/native-layer.ts";
import { goldenText, goldenVectors } from "./golden/quantizer-vectors.ts";

export const QUANTIZERS_PATH = join(import.meta.dir, "..", "test", "golden", "quantizers.json");

if (import.meta.main) {
  await Bun.write(
    QUANTIZERS_PATH,
    withNativeLayer("scalar", (operations) => goldenText(goldenVectors(operations))),
  );
  process.stdout.write(`Wrote ${QUANTIZERS_PATH}\n`);
}
