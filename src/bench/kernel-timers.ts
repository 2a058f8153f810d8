/**
 * Where the time of a step goes: every method of Kernels, and the head's search, is timed while a piece of work runs. The
 * methods are wrapped on the classes themselves and put back afterwards, so that the model is measured as it is and needs
 * no hook for it.
 */
import { HeadCandidates } from "../native/head.ts";
import { Kernels } from "../native/kernels.ts";

export interface KernelTime {
  /** The method; for a matrix product its kind and shape. */
  readonly kernel: string;
  calls: number;
  time_ns: number;
}

const UNTIMED = new Set(["constructor", "close"]);

function methodNames(): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(Kernels.prototype))
    .filter(([name, { value }]) => typeof value === "function" && !UNTIMED.has(name))
    .map(([name]) => name);
}

/** A weight, the first or second value, names its product better than the method does. */
function nameOf(method: string, values: readonly unknown[]): string {
  for (const value of values.slice(0, 2)) {
    if (typeof value !== "object" || value === null) continue;
    if ("kind" in value && "rows" in value && "columns" in value) {
      return `${method} ${value.kind} ${value.rows}x${value.columns}`;
    }
  }
  return method;
}

/** Runs `work` once. @returns the kernels it called, the costliest first. */
export function timeKernels(work: () => void): KernelTime[] {
  const times = new Map<string, KernelTime>();
  const restores = [
    ...methodNames().map((method) => wrap(Kernels.prototype, method, times)),
    wrap(HeadCandidates.prototype, "findEach", times),
  ];
  try {
    work();
  } finally {
    for (const restore of restores) restore();
  }
  return [...times.values()].sort((a, b) => b.time_ns - a.time_ns);
}

/** @returns what puts the method back */
function wrap(prototype: object, method: string, times: Map<string, KernelTime>): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  const original: unknown = descriptor?.value;
  if (descriptor === undefined || typeof original !== "function") throw new RangeError(`no method ${method}`);
  const timed = function (this: unknown, ...values: unknown[]): unknown {
    const start = Bun.nanoseconds();
    const result: unknown = Reflect.apply(original, this, values);
    const time_ns = Bun.nanoseconds() - start;
    const kernel = nameOf(method, values);
    const entry = times.get(kernel) ?? { kernel, calls: 0, time_ns: 0 };
    entry.calls += 1;
    entry.time_ns += time_ns;
    times.set(kernel, entry);
    return result;
  };
  Object.defineProperty(prototype, method, { ...descriptor, value: timed });
  return () => Object.defineProperty(prototype, method, descriptor);
}
