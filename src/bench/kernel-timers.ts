/**
 * Where the time of a step goes: every method of Kernels, every call of a list, and the head's search, is timed while a piece of
 * work runs. The methods are wrapped on the classes themselves and put back afterwards, so that the model is measured as it is
 * and needs no hook for it. The calls of a list are made one by one meanwhile.
 */
import { CallList } from "../native/call-list.ts";
import { HeadCandidates } from "../native/head.ts";
import { Kernels, labelOf } from "../native/kernels.ts";

export interface KernelTime {
  /** The method; for a matrix product its kind and shape. */
  readonly kernel: string;
  calls: number;
  time_ns: number;
}

export interface KernelTimes {
  /** The costliest first. */
  readonly kernels: KernelTime[];
  /** How often native code would have been entered untimed: once for a list. */
  readonly crossings: number;
}

/** `record` writes calls down, and `run` makes them by CallList.run. */
const UNTIMED = new Set(["constructor", "close", "record", "run"]);

function methodNames(): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(Kernels.prototype))
    .filter(([name, { value }]) => typeof value === "function" && !UNTIMED.has(name))
    .map(([name]) => name);
}

/** As a list names it; the weight, where there is one, is the first or second value. */
function nameOf(method: string, [first, second]: readonly unknown[]): string {
  const name = labelOf(method, first);
  return name === method ? labelOf(method, second) : name;
}

/** Runs `work` once. @returns the kernels it computed */
export function timeKernels(work: () => void): KernelTimes {
  const times = new Map<string, KernelTime>();
  let crossings = 0;
  let is_recording = false;
  const time = <T>(kernel: string, call: () => T): T => {
    const start = Bun.nanoseconds();
    const result = call();
    const time_ns = Bun.nanoseconds() - start;
    const entry = times.get(kernel) ?? { kernel, calls: 0, time_ns: 0 };
    entry.calls += 1;
    entry.time_ns += time_ns;
    times.set(kernel, entry);
    return result;
  };
  const timed = (method: string): Replacement => {
    return (original, _, values) => {
      if (is_recording) return original(values);
      crossings += 1;
      return time(nameOf(method, values), () => original(values));
    };
  };
  const record: Replacement = (original, _, values) => {
    is_recording = true;
    try {
      return original(values);
    } finally {
      is_recording = false;
    }
  };
  const runOneByOne: Replacement = (original, list, [context, begin, end]) => {
    if (!(list instanceof CallList)) throw new RangeError("not a list of calls");
    crossings += 1;
    for (let call = Number(begin); call < Number(end); call += 1) {
      time(list.labels[call] ?? "", () => original([context, call, call + 1]));
    }
  };
  const restores = [
    ...methodNames().map((method) => replace(Kernels.prototype, method, timed(method))),
    replace(HeadCandidates.prototype, "findEach", timed("findEach")),
    replace(Kernels.prototype, "record", record),
    replace(CallList.prototype, "run", runOneByOne),
  ];
  try {
    work();
  } finally {
    for (const restore of restores) restore();
  }
  return { kernels: [...times.values()].sort((a, b) => b.time_ns - a.time_ns), crossings };
}

/** What is called in a method's place: with the method, bound to its object, the object, and the values. */
type Replacement = (
  original: (values: readonly unknown[]) => unknown,
  self: unknown,
  values: readonly unknown[],
) => unknown;

/** @returns what puts the method back */
function replace(prototype: object, method: string, replacement: Replacement): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  const original: unknown = descriptor?.value;
  if (descriptor === undefined || typeof original !== "function") throw new RangeError(`no method ${method}`);
  const value = function (this: unknown, ...values: unknown[]): unknown {
    return replacement((own) => Reflect.apply(original, this, [...own]), this, values);
  };
  Object.defineProperty(prototype, method, { ...descriptor, value });
  return () => Object.defineProperty(prototype, method, descriptor);
}
