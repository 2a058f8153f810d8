/**
 * What the machine says of itself: CPU, caches, memory, huge pages. Sources: proc(5), and the kernel's
 * ABI/testing/sysfs-devices-system-cpu on cpu0/cache.
 */
import { readdirSync, readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { defaultThreadCount } from "../native/threads.ts";

export interface CacheFacts {
  readonly level: number;
  readonly bytes: number;
  /** CPUs that share it, as the kernel lists them. */
  readonly shared_by: string;
}

export interface MachineFacts {
  readonly cpu_model: string;
  readonly architecture: string;
  readonly system: string;
  readonly usable_cpus: number;
  readonly memory_bytes: number;
  /** Data and unified caches of CPU 0, small to large; empty where the system does not say. */
  readonly caches: readonly CacheFacts[];
  /** /sys/kernel/mm/transparent_hugepage/enabled; null where there is none. */
  readonly huge_pages: string | null;
  readonly bun_version: string;
}

function text(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // Absent on this system.
    return null;
  }
}

const CACHE_FOLDER = "/sys/devices/system/cpu/cpu0/cache";
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** "48K" and the like in bytes; null for anything else. */
export function sizeBytes(size: string): number | null {
  const match = /^(\d+)([KMG]?)$/.exec(size);
  if (match === null) return null;
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1);
}

function readCaches(): CacheFacts[] {
  let names: string[];
  try {
    names = readdirSync(CACHE_FOLDER).filter((name) => name.startsWith("index"));
  } catch {
    // Not Linux, or a system that hides it.
    return [];
  }
  const caches = names.flatMap((name) => {
    const read = (file: string) => text(`${CACHE_FOLDER}/${name}/${file}`) ?? "";
    const bytes = sizeBytes(read("size"));
    if (bytes === null || read("type") === "Instruction") return [];
    return [{ level: Number(read("level")), bytes, shared_by: read("shared_cpu_list") }];
  });
  return caches.sort((a, b) => a.level - b.level);
}

export function machineFacts(): MachineFacts {
  const selected = /\[(\w+)\]/.exec(text("/sys/kernel/mm/transparent_hugepage/enabled") ?? "");
  return {
    cpu_model: cpus()[0]?.model ?? "unknown",
    architecture: arch(),
    system: `${platform()} ${release()}`,
    usable_cpus: defaultThreadCount(),
    memory_bytes: totalmem(),
    caches: readCaches(),
    huge_pages: selected?.[1] ?? null,
    bun_version: Bun.version,
  };
}

/** Bytes of the last-level cache; null where unknown. */
export function lastLevelBytes(facts: MachineFacts): number | null {
  return facts.caches.at(-1)?.bytes ?? null;
}

/** The smallest cache that holds `bytes_each` for each of `threads` threads, "L1" to "L3"; "DRAM" when none does. */
export function levelName(facts: MachineFacts, bytes_each: number, threads: number): string {
  if (facts.caches.length === 0) return "unknown";
  // The last level is shared by all; the others are taken as one for each thread.
  const last = facts.caches.length - 1;
  const cache = facts.caches.find(({ bytes }, index) => bytes_each * (index === last ? threads : 1) <= bytes);
  return cache === undefined ? "DRAM" : `L${cache.level}`;
}

/** Resident memory of this process in bytes, file pages and anonymous pages apart; null where the system does not say. */
export function residentMemory(): { readonly file_bytes: number; readonly anonymous_bytes: number } | null {
  const status = text("/proc/self/status");
  const field = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status ?? "");
    return match === null ? null : Number(match[1]) * 1024;
  };
  const file_bytes = field("RssFile");
  const anonymous_bytes = field("RssAnon");
  return file_bytes === null || anonymous_bytes === null ? null : { file_bytes, anonymous_bytes };
}

/** Bytes of this process on huge pages, anonymous or of mapped files; null where the system does not say. */
export function hugePageBytes(kind: "anonymous" | "file"): number | null {
  const field = kind === "anonymous" ? "AnonHugePages" : "FilePmdMapped";
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text("/proc/self/smaps_rollup") ?? "");
  return match === null ? null : Number(match[1]) * 1024;
}
