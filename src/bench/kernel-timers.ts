/**
 * Where the time of a step goes: every method of Kernels is timed while a piece of work runs. The methods are wrapped on
 * the class itself and put back afterwards, so that the model is measured as it is and needs no hook for it.
 */
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

/** A weight names its product better than the method does. */
function nameOf(method: string, first: unknown): string {
  if (typeof first !== "object" || first === null) return method;
  if (!("kind" in first && "rows" in first && "columns" in first)) return method;
  return `${method} ${first.kind} ${first.rows}x${first.columns}`;
}

/** Runs `work` once. @returns the kernels it called, the costliest first. */
export function timeKernels(work: () => void): KernelTime[] {
  const times = new Map<string, KernelTime>();
  const originals = Object.getOwnPropertyDescriptors(Kernels.prototype);
  const methods = methodNames();
  for (const method of methods) {
    const original: unknown = Reflect.get(Kernels.prototype, method);
    if (typeof original !== "function") continue;
    const timed = function (this: Kernels, ...values: unknown[]): unknown {
      const start = Bun.nanoseconds();
      const result: unknown = Reflect.apply(original, this, values);
      const time_ns = Bun.nanoseconds() - start;
      const kernel = nameOf(method, values[0]);
      const entry = times.get(kernel) ?? { kernel, calls: 0, time_ns: 0 };
      entry.calls += 1;
      entry.time_ns += time_ns;
      times.set(kernel, entry);
      return result;
    };
    Object.defineProperty(Kernels.prototype, method, { value: timed, configurable: true, writable: true });
  }
  try {
    work();
  } finally {
    Object.defineProperties(
      Kernels.prototype,
      Object.fromEntries(Object.entries(originals).filter(([name]) => methods.includes(name))),
    );
  }
  return [...times.values()].sort((a, b) => b.time_ns - a.time_ns);
}
