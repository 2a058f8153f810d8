/**
 * How many threads this process may really use: the CPUs of its affinity mask, cut by the CPU quota of its control
 * group and every group above it. A container with a quota of two on a 64-core host must compute with two threads.
 * Sources: proc(5) on Cpus_allowed_list; the kernel's cgroup-v2.rst on cpu.max; cgroup-v1 on cpu.cfs_quota_us.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { THREAD_COUNT_MAX } from "../limits.ts";

/** A file's text, or null when it cannot be read. */
export type ReadText = (path: string) => string | null;

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Absent on this system: then it sets no limit.
    return null;
  }
}

/** CPUs named by a list such as "0-3,8". Null when it is not such a list. */
export function countCpuList(list: string): number | null {
  let count = 0;
  for (const range of list.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (match === null) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return null;
    count += last - first + 1;
  }
  return count;
}

function affinityCount(read: ReadText): number | null {
  const match = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read("/proc/self/status") ?? "");
  return match?.[1] === undefined ? null : countCpuList(match[1]);
}

/** The group's folder and every folder above it, up to the mount. */
function foldersUp(mount: string, group: string): string[] {
  const parts = group.split("/").filter((part) => part !== "" && part !== "..");
  return Array.from({ length: parts.length + 1 }, (_, index) =>
    [mount, ...parts.slice(0, parts.length - index)].join("/"),
  );
}

function quotaOf(text: string | null, period_text: string | null): number | null {
  const fields = `${text ?? ""} ${period_text ?? ""}`.trim().split(/\s+/).map(Number);
  const [quota, period] = fields;
  if (quota === undefined || period === undefined) return null;
  return Number.isFinite(quota) && Number.isFinite(period) && quota > 0 && period > 0 ? quota / period : null;
}

function quotaCpus(read: ReadText): number | null {
  const quotas: number[] = [];
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const controllers = (match[1] ?? "").split(",");
    const group = match[2] ?? "/";
    if (match[1] === "") {
      for (const folder of foldersUp("/sys/fs/cgroup", group))
        quotas.push(quotaOf(read(`${folder}/cpu.max`), null) ?? 0);
    } else if (controllers.includes("cpu")) {
      for (const folder of foldersUp("/sys/fs/cgroup/cpu", group)) {
        quotas.push(quotaOf(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)) ?? 0);
      }
    }
  }
  const limits = quotas.filter((quota) => quota > 0);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** The number of threads to compute with by default, at least 1. */
export function defaultThreadCount(
  read: ReadText = readText,
  host_count: number = availableParallelism(),
): number {
  const cpus = affinityCount(read) ?? host_count;
  const quota = quotaCpus(read);
  const usable = quota === null ? cpus : Math.min(cpus, Math.max(1, Math.floor(quota)));
  return Math.max(1, Math.min(usable, THREAD_COUNT_MAX));
}
