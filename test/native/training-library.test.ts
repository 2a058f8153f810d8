/** The training library's own boundary: what Zig refuses when the wrappers' checks are passed by, and what loading says. */
import { ptr } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TrainingKernels } from "../../src/native/training-kernels.ts";
import { trainingLibrary } from "../../src/native/training-library.ts";

const { symbols } = trainingLibrary();
const kernels = TrainingKernels.create({ cpu_level: "scalar", thread_count: 1 });
const buffer = TrainingKernels.buffer(64);
const { address } = buffer;
/** Status.argument_invalid of zig/c_abi/status.zig. */
const REFUSED = 1;
afterAll(() => {
  kernels.close();
  buffer.free();
});

test("sizes of zero, and sizes whose product overflows", () => {
  const forward = (tokens: number, rows: number, columns: number) =>
    symbols.sherry_train_linear_forward(kernels.context, address, address, tokens, rows, columns, address);
  for (const sizes of [
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 0],
    [2 ** 40, 2 ** 40, 4],
    [4, 2 ** 40, 2 ** 40],
    [2 ** 40, 4, 2 ** 40],
  ] as const) {
    const [tokens, rows, columns] = sizes;
    expect(forward(tokens, rows, columns)).toBe(REFUSED);
  }
});

test("no context, no pointer and one between two numbers", () => {
  const out = new BigUint64Array(1);
  expect(symbols.sherry_train_fill(null, 0, 4, address)).toBe(REFUSED);
  expect(symbols.sherry_train_fill(kernels.context, 0, 4, null)).toBe(REFUSED);
  const odd = new Uint8Array(buffer.values.buffer);
  expect(symbols.sherry_train_fill(kernels.context, 0, 4, ptr(odd, 2))).toBe(REFUSED);
  expect(symbols.sherry_train_context_create(0, 257, ptr(out))).toBe(REFUSED);
  expect(symbols.sherry_train_context_create(9, 1, ptr(out))).toBe(REFUSED);
  expect(symbols.sherry_train_context_create(0, 1, null)).toBe(REFUSED);
});

test("shapes that do not belong together", () => {
  const { context } = kernels;
  // Tokens that are no whole sequences; an odd head; heads that no groups divide; a head too wide.
  expect(symbols.sherry_train_rotary(context, address, address, 5, 2, 1, 2, 0)).toBe(REFUSED);
  expect(symbols.sherry_train_rotary(context, address, address, 4, 2, 1, 3, 0)).toBe(REFUSED);
  const attention = (heads: number, groups: number, dim: number) =>
    symbols.sherry_train_attention_forward(
      ...([context, address, address, address, 1, 1, heads, groups, dim, address, address] as const),
    );
  expect(attention(3, 2, 4)).toBe(REFUSED);
  expect(attention(2, 0, 4)).toBe(REFUSED);
  expect(attention(1, 1, 264)).toBe(REFUSED);
  // A method that is none, groups that do not divide a row, a row that is no blocks of four.
  const quantize = (columns: number, method: number, group: number) =>
    symbols.sherry_train_fake_quantize(context, address, 1, columns, method, group, 0, 0, address);
  expect(quantize(32, 5, 32)).toBe(REFUSED);
  expect(quantize(32, 1, 12)).toBe(REFUSED);
  expect(quantize(6, 1, 6)).toBe(REFUSED);
  // A distillation over its own logits, a temperature of zero, a step before the first.
  const distill = (temperature: number) =>
    symbols.sherry_train_distillation(
      ...([context, address, address, 1, 4, 1, temperature, address, address] as const),
    );
  expect(distill(1)).toBe(REFUSED);
  expect(distill(0)).toBe(REFUSED);
  const step = (number: number, beta: number) =>
    symbols.sherry_train_adamw(
      ...([context, address, 4, number, 0.1, beta, 0.9, 1e-8, 0, 1, address, address, address] as const),
    );
  expect(step(0, 0.9)).toBe(REFUSED);
  expect(step(1, 1)).toBe(REFUSED);
});

test("a file that is no library is refused by name", () => {
  const place = mkdtempSync(join(tmpdir(), "sherry-training-"));
  try {
    const path = join(place, "not-a-library.so");
    writeFileSync(path, "text");
    const module_path = JSON.stringify(join(import.meta.dir, "../../src/native/training-library.ts"));
    const load = `(await import(${module_path})).trainingLibrary();`;
    const code = `try { ${load} } catch (error) { console.log(error.code + ": " + error.message); }`;
    const child = Bun.spawnSync([process.execPath, "-e", code], {
      env: { SHERRY_TRAINING_LIBRARY: path },
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = child.stdout.toString();
    expect(said).toStartWith("native_mismatch: the training library does not load: expected a library with");
    expect(said).toContain(path);
    expect(said).toContain("unset SHERRY_TRAINING_LIBRARY");
  } finally {
    rmSync(place, { recursive: true });
  }
});
