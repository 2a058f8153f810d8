/** The thread count that a process may really use, from made-up /proc and /sys files. */
import { describe, expect, test } from "bun:test";
import { countCpuList, defaultThreadCount } from "../../src/native/threads.ts";

function reader(files: Record<string, string>) {
  return (path: string) => files[path] ?? null;
}

const STATUS = "Name:\tbun\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\nMems_allowed:\t1\n";

describe("countCpuList", () => {
  test("counts ranges and single CPUs", () => {
    expect(countCpuList("0-3,8")).toBe(5);
    expect(countCpuList("5")).toBe(1);
  });

  test("gives null for what is no list", () => {
    for (const text of ["", "a-b", "3-1", "1,,2"]) expect(countCpuList(text)).toBeNull();
  });
});

describe("defaultThreadCount", () => {
  test("is the affinity mask's count when nothing limits it", () => {
    expect(defaultThreadCount(reader({ "/proc/self/status": STATUS }), 64)).toBe(8);
  });

  test("falls back to the host's count where there is no /proc", () => {
    expect(defaultThreadCount(reader({}), 6)).toBe(6);
  });

  test("obeys cpu.max of the group and of every group above it", () => {
    const files = {
      "/proc/self/status": STATUS,
      "/proc/self/cgroup": "0::/system.slice/app\n",
      "/sys/fs/cgroup/system.slice/app/cpu.max": "600000 100000\n",
      "/sys/fs/cgroup/system.slice/cpu.max": "250000 100000\n",
      "/sys/fs/cgroup/cpu.max": "max 100000\n",
    };
    expect(defaultThreadCount(reader(files), 64)).toBe(2);
  });

  test("obeys the quota of a version 1 group; -1 sets none", () => {
    const files: Record<string, string> = {
      "/proc/self/status": STATUS,
      "/proc/self/cgroup": "4:cpu,cpuacct:/docker/x\n",
      "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "300000\n",
      "/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n",
    };
    expect(defaultThreadCount(reader(files), 64)).toBe(3);
    files["/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us"] = "-1\n";
    expect(defaultThreadCount(reader(files), 64)).toBe(8);
  });

  test("is at least 1 under a quota of less than one CPU", () => {
    const files = {
      "/proc/self/status": STATUS,
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/cpu.max": "50000 100000\n",
    };
    expect(defaultThreadCount(reader(files), 64)).toBe(1);
  });
});
