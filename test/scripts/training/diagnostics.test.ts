/** Histograms, bits of a weight and the log's file. */
import { describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import { histogram } from "../../../scripts/training/diagnostics.ts";
import { RunLog, readLog } from "../../../scripts/training/log.ts";
import { bitsPerWeight, checkLinearShapes } from "../../../scripts/training/quantized-layers.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const at = temporaryFolder();

describe("a histogram", () => {
  test("counts every weight, about 0", () => {
    expect(histogram(Float32Array.of(-2, -1.9, -0.1, 0.1, 0.1, 2), 4)).toEqual({
      low: -2,
      high: 2,
      counts: [2, 1, 2, 1],
    });
  });

  test("of zeros has them in one bin", () => {
    expect(histogram(new Float32Array(5), 2)).toEqual({ low: -0, high: 0, counts: [5, 0] });
  });
});

describe("bits of a weight", () => {
  const sizes = [{ name: "a", rows: 64, columns: 128 }];
  const quantization = { method: "sherry", granularity: "group", group_columns: 128, arenas: null } as const;

  test("count scales", () => {
    expect(bitsPerWeight(sizes, quantization)).toBe(1.375);
    expect(bitsPerWeight(sizes, { ...quantization, group_columns: 32 })).toBe(1.75);
    expect(bitsPerWeight(sizes, { ...quantization, granularity: "channel" })).toBe(1.5);
    expect(bitsPerWeight(sizes, { ...quantization, granularity: "tensor" })).toBe(1.25 + 32 / 8_192);
    expect(bitsPerWeight(sizes, { ...quantization, method: "binary" })).toBe(1.125);
    expect(bitsPerWeight(sizes, { ...quantization, method: "none" })).toBe(32);
  });

  test("need blocks of four, and groups that divide a row", () => {
    expect(() => checkLinearShapes([{ name: "a", rows: 2, columns: 6 }], quantization)).toThrow(
      "quantization.method: expected in_features of a that are a multiple of 4, received 6",
    );
    expect(() => checkLinearShapes([{ name: "a", rows: 2, columns: 64 }], quantization)).toThrow(
      "quantization.group_columns: expected a divisor of in_features of a (64), received 128",
    );
    const full = { ...quantization, method: "none" } as const;
    expect(() => checkLinearShapes([{ name: "a", rows: 2, columns: 6 }], full)).not.toThrow();
  });
});

describe("a log", () => {
  const sample = (text: string) => ({ kind: "sample", step: 1, prompt: "", text }) as const;

  test("keeps its lines up to the given length, and leaves a torn one out", () => {
    const path = at("log.jsonl");
    const first = new RunLog(path, 0);
    first.add(sample("one"));
    const keep = first.bytes;
    first.add(sample("two"));
    first.close();
    appendFileSync(path, '{"kind":"sam');
    expect(readLog(path)).toEqual([sample("one"), sample("two")]);
    const second = new RunLog(path, keep);
    second.add(sample("three"));
    second.close();
    expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(2);
    expect(readLog(path)).toEqual([sample("one"), sample("three")]);
    expect(() => second.add(sample("four"))).toThrow("writing");
  });

  test("is refused where it cannot be", () => {
    expect(() => new RunLog(at("no/such/folder/log.jsonl"), 0)).toThrow(
      "expected a place where the log can be written",
    );
  });
});
