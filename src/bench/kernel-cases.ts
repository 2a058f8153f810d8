/**
 * Every kernel at every shape, thread count and residence of a plan, as bench cases. What the memory limit leaves no
 * room for is named instead.
 */
import { SherryError } from "../errors.ts";
import type { ScaleDescription } from "../format/layout.ts";
import { type BenchCase, keyOf, type Residence } from "./bench-case.ts";
import { headCases } from "./head-cases.ts";
import { linearCase, prepareCase, twoBitCase } from "./linear-cases.ts";
import { type BenchPlan, linearShapes, type MatrixShape, uniqueShapes } from "./plan.ts";
import { attentionCase, elementwiseCases, embeddingCase, vocabularyCases } from "./step-cases.ts";
import { type PlainKind, plainDescription, sherryDescription } from "./weights.ts";
import type { Workspace } from "./workspace.ts";

export interface SkippedCase {
  readonly name: string;
  readonly reason: string;
}

/** Gathers cases; one that the memory limit refuses becomes a line of `skipped`. */
export class CaseList {
  readonly cases: BenchCase[] = [];
  readonly skipped: SkippedCase[] = [];

  add(name: string, make: () => BenchCase | readonly BenchCase[]): void {
    try {
      const made = make();
      this.cases.push(...("run" in made ? [made] : made));
    } catch (error) {
      if (!(error instanceof SherryError) || error.code !== "out_of_memory") throw error;
      // Every thread count is refused alike; once is enough to say so.
      if (this.skipped.every((known) => known.name !== name))
        this.skipped.push({ name, reason: error.message });
    }
  }
}

/** Scales of the ternary kernel that "sherry" stands for; the others carry their name. */
const SCALE_DEFAULT: ScaleDescription = { granularity: "channel", group_columns: 0, element: "f16" };

const FURTHER_SCALES: readonly ScaleDescription[] = [
  { granularity: "tensor", group_columns: 0, element: "f32" },
  { granularity: "group", group_columns: 32, element: "f16" },
  { granularity: "group", group_columns: 64, element: "f16" },
  { granularity: "group", group_columns: 128, element: "f16" },
  { granularity: "group", group_columns: 256, element: "f16" },
];

const Q6K_COLUMNS = 256;

const RESIDENCES: readonly Residence[] = ["cache", "stream"];

/** Batches of up to this many tokens are sequences decoded together, whose weights stream; larger ones are prefill. */
const SEQUENCES_MAX = 16;

/** So little that the time is that of the way from TypeScript to a kernel and back. */
const SMALLEST_SHAPE: MatrixShape = [1, 32];

function scaleName({ granularity, group_columns }: ScaleDescription): string {
  return granularity === "group" ? `group:${group_columns}` : granularity;
}

/** Ternary products and the 2-bit baseline of one token, as a step calls them and with their input prepared before. */
function addTernary(list: CaseList, workspace: Workspace, shape: MatrixShape, threads: number): void {
  const [rows, columns] = shape;
  const weight = sherryDescription(rows, columns, SCALE_DEFAULT);
  const { cpu_level } = workspace;
  for (const residence of RESIDENCES) {
    for (const prepares of [true, false]) {
      const name = `${rows}x${columns}, ${residence}`;
      const kernel = prepares ? "sherry" : "sherry prepared";
      list.add(`sherry ${name}`, () =>
        linearCase(workspace, { kernel, weight, tokens: 1, threads, residence, prepares, cpu_level }),
      );
      list.add(`2-bit ${name}`, () => twoBitCase(workspace, rows, columns, { threads, residence, prepares }));
    }
  }
}

/** What the ternary product is compared with, and its own batches. */
function addMainShape(
  list: CaseList,
  workspace: Workspace,
  plan: BenchPlan,
  shape: MatrixShape,
  threads: number,
): void {
  const [rows, columns] = shape;
  const common = { threads, cpu_level: workspace.cpu_level };
  const ternary = sherryDescription(rows, columns, SCALE_DEFAULT);
  for (const residence of RESIDENCES) {
    for (const kind of plainKinds(columns)) {
      const weight = plainDescription(kind, rows, columns);
      list.add(`${kind} ${rows}x${columns}, ${residence}`, () =>
        linearCase(workspace, {
          ...common,
          kernel: kind,
          weight,
          tokens: 1,
          residence,
          prepares: kind === "q8",
        }),
      );
    }
  }
  const one = { weight: ternary, threads, residence: "cache", prepares: true } as const;
  if (workspace.cpu_level !== "scalar") {
    list.add(`scalar ${rows}x${columns}`, () =>
      linearCase(workspace, { ...one, kernel: "sherry, scalar", tokens: 1, cpu_level: "scalar" }),
    );
  }
  for (const tokens of plan.batches) {
    for (const residence of tokens <= SEQUENCES_MAX ? RESIDENCES : (["cache"] as const)) {
      list.add(`sherry ${rows}x${columns} x ${tokens}, ${residence}`, () =>
        linearCase(workspace, { ...one, ...common, kernel: "sherry", tokens, residence }),
      );
    }
    list.add(`prepare ${columns} x ${tokens}`, () => prepareCase(workspace, columns, tokens, threads));
  }
  list.add(`prepare ${columns}`, () => prepareCase(workspace, columns, 1, threads));
}

/** What a product costs beside its arithmetic: checks on both sides, twelve arguments, one call. */
function addSmallest(list: CaseList, workspace: Workspace, threads: number): void {
  const [rows, columns] = SMALLEST_SHAPE;
  const weight = sherryDescription(rows, columns, SCALE_DEFAULT);
  const common = { tokens: 1, threads, residence: "cache", prepares: false } as const;
  list.add("smallest product", () =>
    linearCase(workspace, {
      ...common,
      kernel: "smallest product",
      weight,
      cpu_level: workspace.cpu_level,
    }),
  );
}

function addScales(list: CaseList, workspace: Workspace, shape: MatrixShape, threads: number): void {
  const [rows, columns] = shape;
  for (const scale of FURTHER_SCALES) {
    const weight = sherryDescription(rows, columns, scale);
    const kernel = `sherry ${scaleName(scale)}`;
    const { cpu_level } = workspace;
    for (const residence of RESIDENCES) {
      list.add(`${kernel} ${rows}x${columns}`, () =>
        linearCase(workspace, { kernel, weight, tokens: 1, threads, residence, prepares: true, cpu_level }),
      );
    }
  }
}

/** Blocks of q6k take whole activation blocks. */
function plainKinds(columns: number): PlainKind[] {
  const few_bits = columns % Q6K_COLUMNS === 0 ? (["q6k", "int4"] as const) : (["int4"] as const);
  return ["q8", ...few_bits, "f16", "f32"];
}

/** Whether a kind's kernel reads prepared activations. */
function readsIntegers(kind: PlainKind): boolean {
  return kind === "q8" || kind === "q6k" || kind === "int4";
}

/** LM heads of the models, streaming as they do in a step. */
function addHeads(list: CaseList, workspace: Workspace, plan: BenchPlan, threads: number): void {
  const heads = uniqueShapes(
    plan.models.map(({ vocab_size, hidden_size }): MatrixShape => [vocab_size, hidden_size]),
  );
  for (const [index, [rows, columns]] of heads.entries()) {
    if (index === 0)
      list.add(`head split8 ${rows}x${columns}`, () => headCases(workspace, [rows, columns], threads));
    // Every model's head as q8; the first one's in each kind.
    for (const kind of index === 0 ? plainKinds(columns) : (["q8"] as const)) {
      const weight = plainDescription(kind, rows, columns);
      const kernel = `head ${kind}`;
      const { cpu_level } = workspace;
      list.add(`${kernel} ${rows}x${columns}`, () =>
        linearCase(workspace, {
          ...{
            kernel,
            weight,
            tokens: 1,
            threads,
            residence: "stream",
            prepares: readsIntegers(kind),
            cpu_level,
          },
        }),
      );
    }
  }
}

function addStep(list: CaseList, workspace: Workspace, plan: BenchPlan, threads: number): void {
  const [model] = plan.models;
  if (model === undefined) return;
  const { hidden_size, intermediate_size, vocab_size, head_dim } = model;
  const shape = { heads: model.num_attention_heads, key_value_heads: model.num_key_value_heads, head_dim };
  for (const positions of plan.attention_positions) {
    for (const residence of RESIDENCES) {
      list.add(`attention at ${positions}, ${residence}`, () =>
        attentionCase(workspace, shape, { positions, tokens: 1, threads, residence }),
      );
    }
    const tokens = Math.min(64, positions);
    list.add(`attention at ${positions} x ${tokens}`, () =>
      attentionCase(workspace, shape, { positions, tokens, threads, residence: "cache" }),
    );
  }
  const sizes = { ...shape, hidden_size, intermediate_size };
  for (const tokens of [1, 64]) {
    list.add(`elementwise x ${tokens}`, () => elementwiseCases(workspace, sizes, tokens, threads));
    list.add(`embedding x ${tokens}`, () =>
      embeddingCase(workspace, vocab_size, hidden_size, tokens, threads),
    );
  }
  list.add("softmax and argmax", () => vocabularyCases(workspace, vocab_size, threads));
}

/** The cases of a plan, for each of the thread counts. */
export function kernelCases(
  workspace: Workspace,
  plan: BenchPlan,
  thread_counts: readonly number[],
): CaseList {
  const list = new CaseList();
  const all_shapes = uniqueShapes([...plan.main_shapes, ...plan.models.flatMap(linearShapes)]);
  for (const threads of thread_counts) {
    for (const shape of all_shapes) addTernary(list, workspace, shape, threads);
    for (const shape of plan.main_shapes) addMainShape(list, workspace, plan, shape, threads);
    if (threads === 1) addSmallest(list, workspace, threads);
    const [first] = plan.main_shapes;
    if (first !== undefined) addScales(list, workspace, first, threads);
    addHeads(list, workspace, plan, threads);
    addStep(list, workspace, plan, threads);
  }
  // The same case asked for twice (a size that two lists share) is measured once.
  const unique = new Map(list.cases.map((bench_case) => [keyOf(bench_case), bench_case]));
  list.cases.splice(0, list.cases.length, ...unique.values());
  return list;
}
