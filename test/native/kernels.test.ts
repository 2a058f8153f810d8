/** The native boundary: refusals on both sides of it, and results through it that can be checked by hand. */

import { ptr } from "bun:ffi";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { CPU_LEVELS, Kernels, preparedBytes, usableCpuLevels } from "../../src/native/kernels.ts";
import { library } from "../../src/native/library.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { checkStatus } from "../../src/native/status.ts";
import { type LinearInput, type LinearWeight, type NativeRange, rangeOf } from "../../src/native/weight.ts";

function failure(run: () => unknown): SherryError {
  try {
    run();
  } catch (error) {
    if (error instanceof SherryError) return error;
    throw error;
  }
  throw new Error("expected a SherryError");
}

describe("NativeMemory", () => {
  test("is zeroed, page-aligned and bounds-checked, and dead after free", () => {
    const memory = NativeMemory.allocate(5000);
    expect(memory.at(0, 1) % 4096).toBe(0);
    expect(memory.view(0, 5000).every((byte) => byte === 0)).toBe(true);
    expect(failure(() => memory.at(4999, 2)).message).toContain("a range within 5000 bytes");
    expect(failure(() => memory.at(-1, 1)).code).toBe("internal");
    memory.free();
    memory.free();
    expect(failure(() => memory.at(0, 1)).code).toBe("closed");
  });

  test("refuses sizes that are none, and more than the address space", () => {
    expect(failure(() => NativeMemory.allocate(0)).code).toBe("argument_invalid");
    expect(failure(() => NativeMemory.allocate(1.5)).code).toBe("argument_invalid");
    const error = failure(() => NativeMemory.allocate(2 ** 52));
    expect(error.code).toBe("out_of_memory");
    expect(error.message).toContain("smaller context");
  });

  test("locks its pages where the system allows it, and says so where not", () => {
    const lockedKilobytes = () =>
      Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
    const memory = NativeMemory.allocate(64 * 1024);
    const before = lockedKilobytes();
    memory.lock();
    expect(lockedKilobytes() - before).toBe(64);
    memory.free();
    expect(lockedKilobytes()).toBe(before);
    const { sherry_memory_lock } = library().symbols;
    expect([sherry_memory_lock(0, 1), sherry_memory_lock(4096, 0), sherry_memory_lock(4097, 1)]).toEqual([
      1, 1, 1,
    ]);
    // The first page is never mapped: the system refuses as it does above the limit.
    const refused = failure(() => checkStatus(sherry_memory_lock(4096, 4096), "locking"));
    expect(refused.code).toBe("out_of_memory");
    expect(refused.message).toContain("LimitMEMLOCK");
  });

  test.skipIf(!existsSync("/sys/kernel/mm/transparent_hugepage"))(
    "asks for a map's file in huge pages",
    () => {
      const path = join(import.meta.dir, "kernels.test.ts");
      const memory = NativeMemory.map(path);
      const maps = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
      const flags = /^VmFlags:(.*)$/m.exec(maps.find((map) => map.includes(path)) ?? "")?.[1];
      memory.free();
      expect(flags?.split(" ")).toContain("hg");
    },
  );

  test("a map of a file that is absent, empty or a folder is refused by path", () => {
    for (const path of ["/nowhere/model.sherry", "/dev/null", import.meta.dir]) {
      const error = failure(() => NativeMemory.map(path));
      expect(error.code).toBe("file_unreadable");
      expect(error.message).toContain(path);
    }
  });
});

test("every status has an error of its own, and an unknown one is named", () => {
  expect(() => checkStatus(0, "x")).not.toThrow();
  expect(failure(() => checkStatus(1, "an operation")).message).toContain("an operation");
  const codes = [1, 2, 3, 4, 5, 6, 7, 8].map((status) => failure(() => checkStatus(status, "x")).code);
  expect(codes).toEqual([
    "internal",
    "numbers_not_finite",
    "out_of_memory",
    "cpu_unsupported",
    "file_unreadable",
    "native_failed",
    "internal",
    "out_of_memory",
  ]);
  expect(failure(() => checkStatus(99, "x")).code).toBe("native_mismatch");
});

describe("Kernels", () => {
  let kernels: Kernels;
  let memory: NativeMemory;
  let next_offset = 0;

  beforeAll(() => {
    kernels = Kernels.create({ thread_count: 2 });
    memory = NativeMemory.allocate(1 << 20);
  });
  afterAll(() => {
    kernels.close();
    memory.free();
  });

  function floats(values: readonly number[]): { range: NativeRange; view: Float32Array } {
    const bytes = Math.ceil((values.length * 4) / 64) * 64;
    const offset = next_offset;
    next_offset += bytes;
    const view = memory.floats(offset, values.length);
    view.set(values);
    return { range: rangeOf(memory, offset, values.length * 4), view };
  }

  test("refuses thread counts out of range and levels that do not exist", () => {
    for (const thread_count of [0, -1, 1.5, 257]) {
      const error = failure(() => Kernels.create({ thread_count }));
      expect(error.code).toBe("argument_invalid");
      expect(error.message).toContain("an integer from 1 to 256");
    }
    const out = new BigUint64Array(1);
    expect(library().symbols.sherry_context_create(7, 1, ptr(out))).toBe(1);
    expect(out[0]).toBe(0n);
  });

  test("levels that the CPU lacks are refused, the others run", () => {
    const usable = usableCpuLevels();
    expect(usable[0]).toBe("scalar");
    for (const cpu_level of CPU_LEVELS) {
      const create = () => Kernels.create({ cpu_level, thread_count: 1 });
      if (!usable.includes(cpu_level)) {
        expect(failure(create).code).toBe("cpu_unsupported");
        continue;
      }
      const kernels = create();
      expect(kernels.cpu_level).toBe(cpu_level);
      kernels.close();
      expect(failure(() => kernels.context).code).toBe("closed");
    }
    const best = Kernels.create({ thread_count: 1 });
    expect<string | undefined>(best.cpu_level).toBe(usable.at(-1));
    best.close();
  });

  test("a buffer that is too short is refused before the call", () => {
    const { range } = floats([1, 2]);
    const error = failure(() => kernels.add(range, range, 3));
    expect(error.message).toContain("at least 12 bytes");
  });

  test("null, misaligned and undersized arguments get a status, never a fault", () => {
    const { symbols } = library();
    const { range } = floats([1, 2, 3, 4]);
    const misaligned = memory.at(4, 64);
    expect(symbols.sherry_add(null, range.address, range.address, 4)).toBe(1);
    expect(symbols.sherry_add(kernels.context, null, range.address, 4)).toBe(1);
    expect(symbols.sherry_add(kernels.context, range.address, range.address, 0)).toBe(1);
    expect(
      symbols.sherry_linear_dense(kernels.context, misaligned, 64, 0, 1, 4, range.address, 1, range.address),
    ).toBe(1);
    expect(
      symbols.sherry_linear_dense(
        kernels.context,
        memory.at(0, 64),
        15,
        0,
        1,
        4,
        range.address,
        1,
        range.address,
      ),
    ).toBe(1);
    expect(
      symbols.sherry_linear_dense(
        kernels.context,
        memory.at(0, 64),
        16,
        0,
        2 ** 40,
        2 ** 40,
        range.address,
        1,
        range.address,
      ),
    ).toBe(1);
    expect(
      symbols.sherry_linear_dense(
        kernels.context,
        memory.at(0, 64),
        16,
        9,
        1,
        4,
        range.address,
        1,
        range.address,
      ),
    ).toBe(1);
    // A pointer to something that is no context.
    expect(symbols.sherry_add(memory.at(0, 64), range.address, range.address, 4)).toBe(1);
  });

  test("an embedding id past the table and a cache position past its capacity are refused", () => {
    const { symbols } = library();
    const table = memory.at(0, 64);
    const { range } = floats([0, 0, 0, 0]);
    expect(
      symbols.sherry_embedding(kernels.context, table, 64, 0, 4, 4, ptr(Uint32Array.of(4)), 1, range.address),
    ).toBe(1);
    const row = (start: number | bigint, capacity = 4, bytes = 64, at: number = table) =>
      BigUint64Array.from([at, table, bytes, capacity, start, 1].map(BigInt));
    const store = (rows: BigUint64Array, count = rows.length / 6, element = 0) =>
      symbols.sherry_key_value_store(
        ...([kernels.context, range.address, range.address, 1, 4, element, ptr(rows), count] as const),
      );
    const attend = (rows: BigUint64Array, heads = 1, groups = 1) =>
      symbols.sherry_attention(
        ...([kernels.context, range.address, heads, groups, 4, 0, ptr(rows), 1, range.address] as const),
      );
    expect([store(row(3)), attend(row(3))]).toEqual([0, 0]);
    for (const bad of [
      row(4),
      row(Number.MAX_SAFE_INTEGER),
      row(2n ** 64n - 1n),
      row(0, 5),
      row(0, 4, 63),
      row(0, 4, 64, 0),
      row(0, 4, 64, table + 4),
      BigUint64Array.of(BigInt(table), BigInt(table), 64n, 4n, 0n, 0n),
    ]) {
      expect([store(bad), attend(bad)]).toEqual([1, 1]);
      // Behind a sequence that is as it should be, too.
      expect(store(BigUint64Array.from([...row(0), ...bad]))).toBe(1);
    }
    expect([store(row(3), 0), store(row(3), 1, 2), store(row(3), 1, 4)]).toEqual([1, 1, 1]);
    // In q8 four cells take 16 bytes, and from 64 on four scales another 16.
    const both = memory.at(0, 128);
    expect([79, 80].map((bytes) => store(row(3, 4, bytes, both), 1, 3))).toEqual([1, 0]);
    const many = BigUint64Array.from(Array.from({ length: 65 }, () => [...row(3)]).flat());
    expect([store(many, 64), store(many, 65)]).toEqual([0, 1]);
    expect([attend(row(3), 1, 2), attend(row(3), 0, 0)]).toEqual([1, 1]);
  });

  test("computes what can be checked by hand", () => {
    const x = floats([1, 2, 3, 4]);
    const y = floats([10, 20, 30, 40]);
    kernels.add(x.range, y.range, 4);
    expect([...x.view]).toEqual([11, 22, 33, 44]);
    const logits = floats([0.5, 7, 7, -1]);
    expect(kernels.argmax(logits.range, 4)).toBe(1);
    const probabilities = floats([0, 0, 0, 0]);
    kernels.softmax(floats([1, 1, 1, 1]).range, 1, 4, probabilities.range);
    expect([...probabilities.view]).toEqual([0.25, 0.25, 0.25, 0.25]);
    const weight = {
      kind: "f32" as const,
      range: floats([1, 0, 0, 0, 1, 1, 1, 1]).range,
      rows: 2,
      columns: 4,
    };
    const out = floats([0, 0]);
    kernels.linear(weight, { x: y.range, prepared: null }, 1, out.range);
    expect([...out.view]).toEqual([10, 100]);
  });

  test("infinities and NaN are refused by argmax, softmax and prepare", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const { range } = floats([1, bad, 2, 3]);
      const prepared = rangeOf(memory, 1 << 18, preparedBytes(1, 4));
      expect(failure(() => kernels.argmax(range, 4)).code).toBe("numbers_not_finite");
      expect(failure(() => kernels.softmax(range, 1, 4, range)).code).toBe("numbers_not_finite");
      expect(failure(() => kernels.prepare(range, 1, 4, prepared)).code).toBe("numbers_not_finite");
    }
  });

  test("weights that read int8 need activations prepared in their own order", () => {
    const { range } = floats(Array(64).fill(1));
    const prepared = rangeOf(memory, 1 << 18, preparedBytes(1, 64));
    const matrix = { range: rangeOf(memory, 0, 1024), rows: 1, columns: 64 };
    const by_tensor = { granularity: "tensor", group_columns: 0, scale_element: "f32" } as const;
    const strided = { ...matrix, kind: "sherry", ...by_tensor, column_order: "strided" } as const;
    const messageOf = (weight: LinearWeight, input: Omit<LinearInput, "x">) =>
      failure(() => kernels.linear(weight, { x: range, ...input }, 1, range)).message;
    for (const kind of ["q8", "q6k", "int4"] as const) {
      expect(messageOf({ ...matrix, kind }, { prepared: null })).toBe(
        `${kind} matrix product: expected prepared activations in natural order, received none`,
      );
      expect(messageOf({ ...matrix, kind }, { prepared, column_order: "strided" })).toContain(
        "expected prepared activations in natural order, received strided",
      );
    }
    expect(messageOf(strided, { prepared })).toBe(
      "sherry matrix product: expected prepared activations in strided order, received natural",
    );
  });

  test("column orders that do not exist or do not divide the columns, q6k with other columns than blocks", () => {
    const { symbols } = library();
    const { range } = floats(Array(96).fill(1));
    const prepared = rangeOf(memory, 1 << 18, preparedBytes(1, 96));
    const prepare = (columns: number, order: number) =>
      symbols.sherry_prepare(
        kernels.context,
        range.address,
        1,
        columns,
        order,
        prepared.address,
        prepared.bytes,
      );
    expect([prepare(96, 0), prepare(64, 1), prepare(96, 1), prepare(64, 2)]).toEqual([0, 0, 1, 1]);
    const table = memory.at(0, 4096);
    const linear = (
      kind: "sherry_linear_q6k" | "sherry_linear_int4",
      bytes: number,
      columns: number,
      prepared_bytes: number,
    ) =>
      symbols[kind](
        kernels.context,
        table,
        bytes,
        1,
        columns,
        prepared.address,
        prepared_bytes,
        1,
        range.address,
      );
    const enough = preparedBytes(1, 256);
    // One block: 192 bytes of codes, 16 of sub-scales, 48 of zeros, one scale.
    expect(linear("sherry_linear_q6k", 258, 256, enough)).toBe(0);
    expect(linear("sherry_linear_q6k", 257, 256, enough)).toBe(1);
    expect(linear("sherry_linear_q6k", 258, 255, enough)).toBe(1);
    expect(linear("sherry_linear_q6k", 258, 256, enough - 1)).toBe(1);
    // One tile of one group.
    expect(linear("sherry_linear_int4", 144, 32, enough)).toBe(0);
    expect(linear("sherry_linear_int4", 143, 32, enough)).toBe(1);
    expect(linear("sherry_linear_int4", 144, 33, enough)).toBe(1);
    expect(linear("sherry_linear_int4", 144, 32, 1)).toBe(1);
    const embed = (kind: number, bytes: number, columns: number) =>
      symbols.sherry_embedding(
        kernels.context,
        table,
        bytes,
        kind,
        1,
        columns,
        ptr(Uint32Array.of(0)),
        1,
        memory.at(1 << 19, 4096),
      );
    expect([embed(5, 258, 256), embed(5, 257, 256), embed(5, 258, 64)]).toEqual([0, 1, 1]);
    expect([embed(6, 144, 32), embed(6, 143, 32), embed(7, 4096, 32)]).toEqual([0, 1, 1]);
  });
});
