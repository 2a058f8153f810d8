/**
 * A whole model, measured: opening it, prefill, decoding at several context lengths and of several sequences, memory, where a step's time goes,
 * and the scalar level beside it, which must say the same tokens.
 */
import { type KeyValueCache, keyValueBytes } from "../model/key-value-cache.ts";
import { PackedModel } from "../model/packed-model.ts";
import { emptyCall } from "../native/bench-library.ts";
import type { CpuLevel } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { rangeOf } from "../native/weight.ts";
import { type KernelTime, type KernelTimes, timeKernels } from "./kernel-timers.ts";
import { hugePageBytes, residentMemory } from "./machine-facts.ts";
import { decode, decodeTogether, prefill, pretendLength, promptIds, timed } from "./passes.ts";
import type { ModelPlan } from "./plan.ts";
import { type Statistics, statisticsOf } from "./statistics.ts";

export interface DecodeResult {
  readonly context_tokens: number;
  /** Of one token: forward pass and the choice of the likeliest. */
  readonly token_ms: Statistics;
  /** By the median. */
  readonly tokens_per_s: number;
}

export interface TogetherResult {
  readonly sequences: number;
  /** Of one pass: a token of each sequence. */
  readonly pass_ms: Statistics;
  /** Of all sequences, by the median. */
  readonly tokens_per_s: number;
}

export interface StepProfile {
  readonly kernels: readonly KernelTime[];
  readonly steps: number;
  readonly step_us: number;
  /** How many times as long a step takes as the kernels in it, which are timed one by one in steps of their own. */
  readonly over_kernels: number;
  readonly kernels_per_step: number;
  /** Calls of native code; most of a step's kernels are listed and called together. */
  readonly calls_per_step: number;
}

export interface ModelReport {
  readonly path: string;
  readonly label: string | null;
  readonly file_bytes: number;
  readonly threads: number;
  readonly cpu_level: CpuLevel;
  readonly open_ms: Statistics;
  readonly prefill_tokens: number;
  /** From the prompt's ids to the first token's. */
  readonly first_token_ms: Statistics;
  readonly prefill_tokens_per_s: number;
  /** Of the quietest prefill, the time within matrix products and the head. */
  readonly prefill_products_share: number;
  readonly decode: readonly DecodeResult[];
  readonly together: readonly TogetherResult[];
  readonly skipped: readonly string[];
  readonly profile: StepProfile;
  readonly empty_call_ns: number;
  readonly resident: ResidentReport | null;
  readonly scalar: ScalarReport | null;
}

/** Growth of this process since before the model was opened. */
export interface ResidentReport {
  readonly open_file_bytes: number;
  readonly open_anonymous_bytes: number;
  readonly used_file_bytes: number;
  /** Of those, on huge pages; null where the system does not say. */
  readonly huge_file_bytes: number | null;
  readonly used_anonymous_bytes: number;
  /** Of the positions that were filled meanwhile. */
  readonly key_value_bytes: number;
}

export interface ScalarReport {
  readonly tokens: number;
  readonly token_ms: Statistics;
  /** How many times as long a token takes as at the measured level. */
  readonly ratio: number;
  readonly is_token_identical: boolean;
}

export interface ModelBenchOptions {
  readonly path: string;
  readonly plan: ModelPlan;
  readonly threads: number;
  readonly cpu_level: CpuLevel;
  readonly on_progress: (share: number, text: string) => void;
  /** Called before every round, for noise.ts. */
  readonly onRound: () => void;
  readonly signal: AbortSignal;
}

const DECODE_ROUNDS = 4;
const PREFILL_COUNT = 3;
/** Passes of several sequences, for each number of them in every round. */
const TOGETHER_PASSES = 4;
/** Positions that are filled before sequences are decoded together. */
const TOGETHER_CONTEXT = 16;
/** The quietest of so many runs of so many steps is shown, so that its parts belong together. */
const PROFILE_RUNS = 6;
const PROFILE_STEPS = 8;
const SCALAR_PROMPT_TOKENS = 4;
const EMPTY_CALLS = 10_000;

function openModel(
  { path, threads, cpu_level }: ModelBenchOptions,
  context_tokens: number | undefined,
): PackedModel {
  return PackedModel.open(path, { thread_count: threads, cpu_level, context_tokens });
}

function openTimes(options: ModelBenchOptions, context_tokens: number | undefined): Statistics {
  const times = Array.from({ length: options.plan.open_count }, () =>
    timed(() => openModel(options, context_tokens).close()),
  );
  return statisticsOf(times);
}

/** @throws SherryError as PackedModel.open does; the signal's reason */
export async function benchModel(options: ModelBenchOptions): Promise<ModelReport> {
  const { path, plan, threads, on_progress } = options;
  on_progress(0, "opening the model");
  const probe = openModel(options, undefined);
  const limit = probe.directory.config.max_position_embeddings;
  probe.close();
  const context_tokens = Math.min(
    limit,
    Math.max(plan.prefill_tokens, Math.max(...plan.contexts) + plan.decode_tokens),
  );
  const open_ms = openTimes(options, context_tokens);
  const before = residentMemory();
  const model = openModel(options, context_tokens);
  const caches: KeyValueCache[] = [];
  const createCache = (capacity: number): KeyValueCache => {
    const cache = model.createCache(capacity);
    caches.push(cache);
    return cache;
  };
  try {
    const opened = residentMemory();
    const ids = promptIds(Math.min(plan.prefill_tokens, context_tokens), model.directory.config.vocab_size);
    const first = createCache(context_tokens);
    const prefills = Array.from({ length: PREFILL_COUNT }, (_, index) => {
      on_progress(0.1 + 0.1 * index, `prefill of ${ids.length} tokens`);
      first.length = 0;
      let total_ms = 0;
      const times = timeKernels(() => {
        total_ms = timed(() => prefill(model, first, ids));
      });
      return { ...times, total_ms };
    });
    const first_token_ms = statisticsOf(prefills.map(({ total_ms }) => total_ms));
    const { results, skipped } = await decodeAtContexts(options, model, createCache);
    const together = await decodeSequences(options, model, createCache);
    const profile = profileStep(model, createCache);
    const used = residentMemory();
    const huge_file_bytes = hugePageBytes("file");
    const empty_call_ns = emptyCallTime();
    return {
      ...{ path, label: model.directory.label, file_bytes: model.file_bytes, threads, open_ms },
      ...{ cpu_level: model.cpu_level, prefill_tokens: ids.length, first_token_ms },
      prefill_tokens_per_s: (ids.length / first_token_ms.median) * 1e3,
      prefill_products_share: productsShare(quietest(prefills)),
      ...{ decode: results, together, skipped, empty_call_ns },
      profile,
      resident:
        before === null || opened === null || used === null
          ? null
          : {
              open_file_bytes: opened.file_bytes - before.file_bytes,
              open_anonymous_bytes: opened.anonymous_bytes - before.anonymous_bytes,
              used_file_bytes: used.file_bytes - before.file_bytes,
              huge_file_bytes,
              used_anonymous_bytes: used.anonymous_bytes - before.anonymous_bytes,
              key_value_bytes: caches.reduce(
                (sum, { length }) =>
                  sum + keyValueBytes(model.directory.config, model.key_value_element, length),
                0,
              ),
            },
      scalar: scalarReport(options, model, createCache),
    };
  } finally {
    for (const cache of caches) cache.free();
    model.close();
  }
}

async function decodeAtContexts(
  { plan, on_progress, onRound, signal }: ModelBenchOptions,
  model: PackedModel,
  createCache: (capacity: number) => KeyValueCache,
): Promise<{ results: DecodeResult[]; skipped: string[] }> {
  const skipped: string[] = [];
  const runs = plan.contexts.flatMap((context_tokens) => {
    const capacity = context_tokens + plan.decode_tokens;
    if (capacity > model.context_tokens) {
      skipped.push(`decoding at ${context_tokens} tokens: the model's limit is ${model.context_tokens}`);
      return [];
    }
    const cache = createCache(capacity);
    pretendLength(cache, context_tokens);
    return [{ context_tokens, cache, token_ms: [] as number[] }];
  });
  const share = Math.ceil(plan.decode_tokens / DECODE_ROUNDS);
  for (let round = 0; round < DECODE_ROUNDS; round += 1) {
    onRound();
    for (const run of runs) {
      on_progress(0.4 + (0.4 * round) / DECODE_ROUNDS, `decoding at ${run.context_tokens} tokens`);
      const count = Math.min(share, run.cache.capacity - run.cache.length);
      run.token_ms.push(...decode(model, run.cache, 1, count).token_ms);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  }
  const results = runs.map(({ context_tokens, token_ms }) => {
    const statistics = statisticsOf(token_ms);
    return { context_tokens, token_ms: statistics, tokens_per_s: 1e3 / statistics.median };
  });
  return { results, skipped };
}

/** Short contexts, by turns of the numbers of sequences. */
async function decodeSequences(
  { plan, on_progress, onRound, signal }: ModelBenchOptions,
  model: PackedModel,
  createCache: (capacity: number) => KeyValueCache,
): Promise<TogetherResult[]> {
  const count_max = Math.max(...plan.sequences);
  const caches = Array.from({ length: count_max }, () => {
    const cache = createCache(TOGETHER_CONTEXT + 1);
    pretendLength(cache, TOGETHER_CONTEXT);
    return cache;
  });
  const runs = plan.sequences.map((sequences) => ({ sequences, pass_ms: [] as number[] }));
  for (let round = 0; round < DECODE_ROUNDS; round += 1) {
    onRound();
    for (const { sequences, pass_ms } of runs) {
      on_progress(0.8 + (0.05 * round) / DECODE_ROUNDS, `decoding ${sequences} sequences together`);
      let ids = Array.from({ length: sequences }, (_, index) => index);
      for (let pass = 0; pass < TOGETHER_PASSES; pass += 1) {
        const members = caches.slice(0, sequences);
        for (const cache of members) cache.length = TOGETHER_CONTEXT;
        pass_ms.push(
          timed(() => {
            ids = decodeTogether(model, members, ids);
          }),
        );
      }
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  }
  return runs.map(({ sequences, pass_ms }) => {
    const statistics = statisticsOf(pass_ms);
    return { sequences, pass_ms: statistics, tokens_per_s: (sequences * 1e3) / statistics.median };
  });
}

interface ProfileRun extends KernelTimes {
  readonly total_ms: number;
}

function profileStep(model: PackedModel, createCache: (capacity: number) => KeyValueCache): StepProfile {
  const cache = createCache(1 + 2 * PROFILE_RUNS * PROFILE_STEPS);
  const decodeSteps = () =>
    decode(model, cache, 1, PROFILE_STEPS).token_ms.reduce((sum, time) => sum + time, 0);
  decode(model, cache, 1, 1);
  const runs = Array.from({ length: PROFILE_RUNS }, () => {
    const untimed_ms = decodeSteps();
    let total_ms = 0;
    const times = timeKernels(() => {
      total_ms = decodeSteps();
    });
    return { ...times, untimed_ms, total_ms };
  });
  const { kernels, crossings } = quietest(runs);
  const step_us = (Math.min(...runs.map(({ untimed_ms }) => untimed_ms)) * 1e3) / PROFILE_STEPS;
  const kernels_us = kernels.reduce((sum, { time_ns }) => sum + time_ns, 0) / 1e3 / PROFILE_STEPS;
  return {
    kernels,
    steps: PROFILE_STEPS,
    step_us,
    over_kernels: step_us / kernels_us,
    kernels_per_step: kernels.reduce((sum, { calls }) => sum + calls, 0) / PROFILE_STEPS,
    calls_per_step: crossings / PROFILE_STEPS,
  };
}

function quietest(runs: readonly ProfileRun[]): ProfileRun {
  return runs.reduce((best, run) => (run.total_ms < best.total_ms ? run : best));
}

function productsShare({ kernels, total_ms }: ProfileRun): number {
  const products = kernels.filter(({ kernel }) => /^(linear|findEach) /.test(kernel));
  return products.reduce((sum, { time_ns }) => sum + time_ns, 0) / (total_ms * 1e6);
}

function emptyCallTime(): number {
  const memory = NativeMemory.allocate(64);
  try {
    const range = rangeOf(memory);
    const times = Array.from({ length: 20 }, () =>
      timed(() => {
        for (let call = 0; call < EMPTY_CALLS; call += 1) emptyCall(range);
      }),
    );
    return (statisticsOf(times).minimum * 1e6) / EMPTY_CALLS;
  } finally {
    memory.free();
  }
}

/** The scalar level on the same prompt; null when that is the level that was measured. */
function scalarReport(
  { path, plan, threads, on_progress }: ModelBenchOptions,
  model: PackedModel,
  createCache: (capacity: number) => KeyValueCache,
): ScalarReport | null {
  if (model.cpu_level === "scalar") return null;
  on_progress(0.9, "the scalar level, for comparison");
  const capacity = SCALAR_PROMPT_TOKENS + plan.scalar_tokens;
  const ids = promptIds(SCALAR_PROMPT_TOKENS, model.directory.config.vocab_size);
  const answer = (chosen: PackedModel, cache: KeyValueCache) =>
    decode(chosen, cache, prefill(chosen, cache, ids), plan.scalar_tokens);
  const measured = answer(model, createCache(capacity));
  const scalar = PackedModel.open(path, {
    ...{ thread_count: threads, cpu_level: "scalar", context_tokens: capacity },
  });
  const cache = scalar.createCache(capacity);
  try {
    const reference = answer(scalar, cache);
    const token_ms = statisticsOf(reference.token_ms);
    return {
      ...{ tokens: plan.scalar_tokens, token_ms },
      ratio: token_ms.median / statisticsOf(measured.token_ms).median,
      is_token_identical: reference.ids.every((id, index) => id === measured.ids[index]),
    };
  } finally {
    cache.free();
    scalar.close();
  }
}
