/** `sherry bench`: a quick run of everything, its three forms, and what it refuses. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type BenchOptions, type BenchReport, runBench } from "../../src/bench/run-bench.ts";
import { run } from "../../src/cli/bench.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { toyModelPath } from "../toy-model.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const at = temporaryFolder();

async function bench(argv: readonly string[], columns: number | null = null) {
  const terminal = new FakeTerminal();
  const exit_code = await run(argv, terminal, columns);
  return { exit_code, terminal };
}

describe("a quick run", () => {
  let report: BenchReport;
  let page = "";

  beforeAll(async () => {
    const { exit_code, terminal } = await bench(["--quick", "--json", "--html", at("bench.html")]);
    expect(exit_code).toBe(0);
    report = JSON.parse(terminal.output);
    page = readFileSync(at("bench.html"), "utf8");
  }, 60_000);

  test("measures the machine, every kernel and a model, and every result has the scalar level's bits", () => {
    expect(report).toMatchObject({ is_quick: true, mismatches: [] });
    expect(report.noise.rounds.length).toBeGreaterThan(2);
    const kernels = new Set(report.kernels?.results.map(({ kernel }) => kernel));
    for (const kernel of ["sherry", "sherry prepared", "2-bit", "q8", "f16", "f32", "prepare", "head q8"]) {
      expect(kernels).toContain(kernel);
    }
    for (const kernel of ["attention", "RMS norm", "rotary", "SwiGLU", "softmax", "argmax", "embedding q8"]) {
      expect(kernels).toContain(kernel);
    }
    expect(report.kernels?.reads.length).toBeGreaterThan(3);
    expect(report.kernels?.skipped).toEqual([]);
  });

  test("every case has both its times and, where it computes, a checksum", () => {
    for (const result of report.kernels?.results ?? []) {
      expect(result.minimum_us).toBeGreaterThan(0);
      expect(result.median_us).toBeGreaterThanOrEqual(result.minimum_us);
      const computes = result.kernel !== "peak" && result.kernel !== "empty call";
      expect(result.checksum !== null).toBe(computes);
    }
    const sherry = report.kernels?.results.find(({ kernel }) => kernel === "sherry");
    expect(sherry?.ratios["2-bit"]).toBeGreaterThan(0);
    expect(sherry?.cycles_per_128_weights).toBeGreaterThan(0);
  });

  test("the model decodes at the contexts it has room for, and its step is accounted for", () => {
    const { model } = report;
    if (model === null) throw new Error("no model was measured");
    expect(model.decode.map(({ context_tokens }) => context_tokens)).toEqual([0, 64]);
    expect(model.together.map(({ sequences }) => sequences)).toEqual([1, 3]);
    expect(model.together.every(({ pass_ms }) => pass_ms.count > 0 && pass_ms.minimum > 0)).toBe(true);
    expect(model.prefill_products_share).toBeGreaterThan(0);
    expect(model.prefill_products_share).toBeLessThan(1);
    expect(model.skipped).toEqual(["decoding at 4096 tokens: the model's limit is 96"]);
    expect(model.scalar?.is_token_identical ?? true).toBe(true);
    expect(model.profile.kernels.map(({ kernel }) => kernel)).toContain("attention");
    const { profile } = model;
    const kernels_us = profile.kernels.reduce((sum, { time_ns }) => sum + time_ns, 0) / 1e3 / profile.steps;
    expect(profile.over_kernels).toBeCloseTo(profile.step_us / kernels_us, 6);
    // Embedding, positions, the layers, the last norm, its preparation and the head.
    expect(profile.calls_per_step).toBe(6);
    expect(profile.kernels_per_step).toBeGreaterThan(2 * profile.calls_per_step);
    expect(model.open_ms.count).toBe(2);
  });

  test("the page stands alone: a plot, tables, both colour schemes, nothing fetched", () => {
    expect(page).toStartWith("<!doctype html>");
    expect(page).toContain('<svg viewBox="0 0 ');
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page).not.toMatch(/<script|<link|https?:|url\(|@import/);
    expect(page).not.toContain("NaN");
    expect(page.match(/<table>/g)?.length).toBeGreaterThanOrEqual(6);
  });
});

test("tables for a terminal, one part alone, and a line of progress", async () => {
  const { exit_code, terminal } = await bench(["--quick", "--only", "machine", "--threads", "1"], 100);
  expect(exit_code).toBe(0);
  expect(terminal.output).toStartWith("Memory reads, GB/s");
  expect(terminal.output).toContain("Every result has the scalar level's bits.");
  expect(terminal.output).toContain("A quick run: it shows that everything works, its figures mean nothing.");
  expect(terminal.output).not.toContain("Matrix products");
  expect(terminal.output).not.toContain("The model:");
  expect(terminal.errors).toContain("round 2 of 2");
  expect(terminal.errors).toEndWith("\r\x1b[K");
  expect(terminal.watcher_count).toBe(0);
}, 60_000);

test("a file of one's own, with what its limits leave out named", async () => {
  const toy = await toyModelPath();
  const { exit_code, terminal } = await bench([toy, "--quick", "--only", "model"]);
  expect(exit_code).toBe(0);
  expect(terminal.output).toContain("The model: toy model");
  expect(terminal.output).toContain("Left out: decoding at 4096 tokens: the model's limit is 512");
  expect(terminal.output).not.toContain("Memory reads");
}, 60_000);

test("a result that differs makes the command fail, and both reports say so", async () => {
  const terminal = new FakeTerminal();
  const mismatches = ["sherry 1x1: expected checksum <a>, received b"];
  const argv = ["--quick", "--only", "machine", "--threads", "1", "--html", at("differs.html")];
  const measure = async (options: BenchOptions) => ({ ...(await runBench(options)), mismatches });
  expect(await run(argv, terminal, null, measure)).toBe(1);
  expect(terminal.output).toContain("FAILED: 1 results differ from the scalar level's.");
  expect(terminal.output).toContain("Differs: sherry 1x1: expected checksum <a>, received b");
  const page = readFileSync(at("differs.html"), "utf8");
  expect(page).toContain('class="verdict bad"');
  expect(page).toContain("expected checksum &lt;a&gt;, received b");
}, 60_000);

test("a filter keeps what it names, and the baselines at the same shape", async () => {
  const options = ["--only", "kernels", "--threads", "1", "--rounds", "1", "--filter", "sherry 128x256"];
  const { terminal } = await bench(["--quick", "--json", ...options]);
  const report: BenchReport = JSON.parse(terminal.output);
  const results = (report.kernels?.results ?? []).filter(
    ({ gigaweights_per_s }) => gigaweights_per_s !== null,
  );
  expect(new Set(results.map(({ shape }) => shape))).toEqual(new Set(["128x256"]));
  const kernels = new Set(results.map(({ kernel }) => kernel));
  expect(kernels).toContain("sherry");
  expect(kernels).toContain("2-bit");
  expect(kernels).not.toContain("q8");
  expect(report.kernels?.results.map(({ kernel }) => kernel)).not.toContain("attention");
  expect(report.model).toBeNull();
}, 60_000);

test("an interrupt ends it, with nothing written", async () => {
  const terminal = new FakeTerminal();
  const running = run(["--quick", "--html", at("never.html")], terminal, null);
  terminal.interrupt();
  expect(await running).toBe(130);
  expect(terminal.output).toBe("");
  expect(terminal.errors).toBe("interrupted; nothing was reported\n");
  expect(existsSync(at("never.html"))).toBe(false);
}, 60_000);

describe("what is refused", () => {
  test("--help, wrong options, a model that is not there, a page that cannot be written", async () => {
    const { terminal } = await bench(["--help"]);
    expect(terminal.output).toContain("Usage: sherry bench [MODEL] [options]");
    expect(await asyncRefusal(() => bench(["--only", "all"]))).toEqual({
      code: "argument_invalid",
      message:
        "--only: expected machine, kernels, model, received all. Run 'sherry bench --help' for the options",
    });
    expect((await asyncRefusal(() => bench(["--memory-limit", "1"]))).message).toContain(
      "--memory-limit: expected an integer of at least 64, received 1",
    );
    const missing = await asyncRefusal(() => bench(["no/such.sherry", "--quick", "--only", "model"]));
    expect(missing.code).toBe("file_unreadable");
    expect(missing.message).toContain("no/such.sherry");
    const page = at("no/such/folder/page.html");
    const unwritable = await asyncRefusal(() =>
      bench(["--quick", "--only", "machine", "--threads", "1", "--rounds", "1", "--html", page]),
    );
    expect(unwritable.code).toBe("file_unwritable");
    expect(unwritable.message).toContain("the bench's page: expected a file that can be written, received");
    expect(unwritable.message).toEndWith("Choose another --html FILE");
  }, 60_000);
});
