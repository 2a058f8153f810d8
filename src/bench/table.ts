/** Report tables as data: what the terminal pads into columns and the page makes cells of. */

import type { CaseResult, ReadResult } from "./results.ts";
import type { BenchReport } from "./run-bench.ts";

export interface ReportTable {
  readonly title: string;
  readonly header: readonly string[];
  /** Columns from this one on are numbers, aligned to the right. */
  readonly first_number: number;
  readonly rows: readonly (readonly string[])[];
}

const NONE = "";

/** Three significant digits or so, without an exponent. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2);
}

function percent(share: number | null): string {
  return share === null ? NONE : `${(share * 100).toFixed(0)} %`;
}

function megabytes(bytes: number): string {
  return figure(bytes / 1e6);
}

/** All tables of a report, in the order in which they are read. */
export function reportTables(report: BenchReport): ReportTable[] {
  const tables: ReportTable[] = [];
  if (report.kernels !== null) {
    const { reads, results } = report.kernels;
    tables.push(readTable(reads, report.thread_counts));
    const plain = results.filter(({ kernel }) => kernel === "peak" || kernel === "empty call");
    if (plain.length > 0) tables.push(unitsTable(plain));
    const rest = results.filter((result) => !plain.includes(result));
    const matrices = rest.filter(({ gigaweights_per_s }) => gigaweights_per_s !== null);
    if (matrices.length > 0) tables.push(matrixTable(matrices));
    const others = rest.filter(({ gigaweights_per_s }) => gigaweights_per_s === null);
    if (others.length > 0) tables.push(othersTable(others));
  }
  if (report.model !== null) tables.push(decodeTable(report), profileTable(report));
  return tables;
}

function readTable(reads: readonly ReadResult[], thread_counts: readonly number[]): ReportTable {
  const keyOf = ({ residence, pages, buffer_bytes }: ReadResult) =>
    residence === "stream" ? `${pages} pages` : `${figure(buffer_bytes / 1024)} KB a thread`;
  const keys = [...new Set(reads.map(keyOf))];
  // What one thread finds in a shared cache, several may not.
  const levels = (key: string) => [
    ...new Set(reads.filter((read) => keyOf(read) === key).map(({ level }) => level)),
  ];
  const best = (key: string, threads: number) => {
    const alike = reads.filter((read) => keyOf(read) === key && read.threads === threads);
    const fastest = alike.sort((a, b) => b.gigabytes_per_s - a.gigabytes_per_s)[0];
    return fastest === undefined
      ? [NONE, NONE]
      : [figure(fastest.gigabytes_per_s), figure(fastest.median_gigabytes_per_s)];
  };
  return {
    title: "Memory reads, GB/s, the better of plain and prefetched loads",
    header: ["level", "what", ...thread_counts.flatMap((count) => [`${count}T best`, `${count}T median`])],
    first_number: 2,
    rows: keys.map((key) => [
      levels(key).join(", "),
      key,
      ...thread_counts.flatMap((count) => best(key, count)),
    ]),
  };
}

function unitsTable(results: readonly CaseResult[]): ReportTable {
  return {
    title: "Vector units in registers, and a native call that does nothing",
    header: ["measure", "of", "threads", "G operations/s", "min us", "median us"],
    first_number: 2,
    rows: results.map((result) => [
      ...[result.kernel, result.shape, `${result.threads}`, figure(result.gigaoperations_per_s)],
      ...[figureOfTime(result.minimum_us), figureOfTime(result.median_us)],
    ]),
  };
}

/** A call may take nanoseconds. */
function figureOfTime(time_us: number): string {
  return time_us < 1 ? time_us.toFixed(3) : figure(time_us);
}

function commonCells(result: CaseResult): string[] {
  const { kernel, shape, tokens, threads, residence } = result;
  return [kernel, shape, residence, `${tokens}`, `${threads}`];
}

const COMMON_HEADER = ["kernel", "shape", "from", "tokens", "threads", "min us", "median us"];

function matrixTable(results: readonly CaseResult[]): ReportTable {
  return {
    title:
      "Matrix products (cycles/128: for 128 weights and a token; x: how many times as long a baseline takes)",
    header: [
      ...COMMON_HEADER,
      ...[
        "Gweights/s",
        "Gops/s",
        "GB/s",
        "of read",
        "cycles/128",
        "x 2-bit",
        "x f32",
        "x scalar",
        "checksum",
      ],
    ],
    first_number: 3,
    rows: results.map((result) => [
      ...commonCells(result),
      ...[figureOfTime(result.minimum_us), figureOfTime(result.median_us)],
      ...[figure(result.gigaweights_per_s), figure(result.gigaoperations_per_s)],
      ...[figure(result.gigabytes_per_s), percent(result.bandwidth_share)],
      figure(result.cycles_per_128_weights),
      ...[figure(result.ratios["2-bit"]), figure(result.ratios.f32), figure(result.ratios.scalar)],
      (result.checksum ?? NONE).slice(0, 8),
    ]),
  };
}

function othersTable(results: readonly CaseResult[]): ReportTable {
  return {
    title: "Everything else of a step",
    header: [...COMMON_HEADER, "Gops/s", "GB/s", "of read", "checksum"],
    first_number: 3,
    rows: results.map((result) => [
      ...commonCells(result),
      ...[figureOfTime(result.minimum_us), figureOfTime(result.median_us)],
      ...[figure(result.gigaoperations_per_s), figure(result.gigabytes_per_s)],
      ...[percent(result.bandwidth_share), (result.checksum ?? NONE).slice(0, 8)],
    ]),
  };
}

function decodeTable({ model }: BenchReport): ReportTable {
  if (model === null) throw new RangeError("no model was measured");
  const row = (what: string, time: { minimum: number; median: number }, tokens: number) => [
    ...[what, figure(time.minimum), figure(time.median)],
    tokens === 0 ? NONE : figure((tokens / time.median) * 1e3),
  ];
  const { open_ms, first_token_ms, prefill_tokens, decode, together, scalar } = model;
  return {
    title: `The model: ${model.label ?? model.path} (${megabytes(model.file_bytes)} MB, ${model.threads} threads)`,
    header: ["what", "min ms", "median ms", "tokens/s"],
    first_number: 1,
    rows: [
      row("open", open_ms, 0),
      row(`prefill of ${prefill_tokens} tokens, to the first token`, first_token_ms, prefill_tokens),
      ...decode.map(({ context_tokens, token_ms }) =>
        row(`a token at a context of ${context_tokens}`, token_ms, 1),
      ),
      ...together.map(({ sequences, pass_ms }) =>
        row(`a token of each of ${sequences} sequences, in one pass`, pass_ms, sequences),
      ),
      ...(scalar === null
        ? []
        : [row(`a token at the scalar level (${figure(scalar.ratio)} times as long)`, scalar.token_ms, 1)]),
    ],
  };
}

function profileTable({ model }: BenchReport): ReportTable {
  if (model === null) throw new RangeError("no model was measured");
  const { kernels, steps, step_us } = model.profile;
  return {
    title: `Where a step of ${figure(step_us / 1e3)} ms goes`,
    header: ["kernel", "calls", "us a step", "share"],
    first_number: 1,
    rows: kernels.map(({ kernel, calls, time_ns }) => {
      const time_us = time_ns / 1e3 / steps;
      return [kernel, figure(calls / steps), figure(time_us), percent(time_us / step_us)];
    }),
  };
}

/** What tables do not say: the machine, how far it can be believed, what was left out. */
export function reportNotes(report: BenchReport): string[] {
  const { facts, noise, kernels, model, mismatches, cpu_level } = report;
  const caches = facts.caches.map(({ level, bytes }) => `L${level} ${figure(bytes / 1024)} KB`).join(", ");
  const notes = [
    `${facts.cpu_model}, ${facts.usable_cpus} CPUs, level ${cpu_level}, ${caches === "" ? "caches unknown" : caches}, ${figure(facts.memory_bytes / 1e9)} GB, huge pages: ${facts.huge_pages ?? "unknown"}, ${facts.system}, Bun ${facts.bun_version}`,
    `Clock ${noise.clock_hz === null ? "unknown" : `${figure(noise.clock_hz / 1e9)} GHz`}, measured by a chain of additions; load average ${figure(noise.load_average_start)} before, ${figure(noise.load_average_end)} after.`,
    noise.verdict,
  ];
  if (report.is_quick) notes.push("A quick run: it shows that everything works, its figures mean nothing.");
  if (kernels !== null) {
    const times = kernels.stream_last_levels;
    const huge = kernels.huge_page_bytes;
    notes.push(
      `Streaming cases rotated over ${megabytes(kernels.stream_bytes)} MB${times === null ? "" : `, ${figure(times)} times the last-level cache`}; ${huge === null ? "huge pages unknown" : `${megabytes(huge)} MB on huge pages`}; ${megabytes(kernels.used_bytes)} MB in all.`,
    );
    for (const remark of kernels.remarks) notes.push(`${remark}.`);
    for (const { name, reason } of kernels.skipped) notes.push(`Left out: ${name}: ${reason}`);
  }
  if (model !== null) notes.push(...modelNotes(model));
  notes.push(
    mismatches.length === 0
      ? "Every result has the scalar level's bits."
      : `FAILED: ${mismatches.length} results differ from the scalar level's.`,
    ...mismatches.map((mismatch) => `Differs: ${mismatch}`),
    `Took ${figure(report.seconds)} s.`,
  );
  return notes;
}

function modelNotes(model: NonNullable<BenchReport["model"]>): string[] {
  const { profile, resident, skipped, scalar } = model;
  const notes = [
    `A step takes ${figure(profile.over_kernels)} times the sum of its ${figure(profile.kernels_per_step)} kernels, timed one by one; it makes ${figure(profile.calls_per_step)} native calls (an empty one in a loop takes ${figure(model.empty_call_ns)} ns).`,
    `Of the prefill ${percent(model.prefill_products_share)} is matrix products.`,
    ...skipped.map((reason) => `Left out: ${reason}`),
  ];
  if (resident !== null) {
    const used = resident.used_file_bytes + resident.used_anonymous_bytes;
    const huge =
      resident.huge_file_bytes === null ? "" : ` (${megabytes(resident.huge_file_bytes)} MB on huge pages)`;
    notes.push(
      `Resident memory grew by ${megabytes(used)} MB: ${megabytes(resident.used_file_bytes)} MB of the file's ${megabytes(model.file_bytes)} MB${huge}, ${megabytes(resident.used_anonymous_bytes)} MB anonymous, of which ${megabytes(resident.key_value_bytes)} MB keys and values, ${megabytes(resident.used_anonymous_bytes - resident.key_value_bytes)} MB the rest; by ${megabytes(resident.open_file_bytes + resident.open_anonymous_bytes)} MB for opening alone.`,
    );
  }
  if (scalar !== null) {
    notes.push(
      `Scalar and ${model.cpu_level} say ${scalar.is_token_identical ? "the same" : "DIFFERENT"} ${scalar.tokens} tokens.`,
    );
  }
  return notes;
}
