//! The CPUs that code is compiled for. The library runs on any CPU of its architecture; only the object of an
//! instruction set level is compiled for that level, and only CPUID's answer lets it run.
const std = @import("std");

pub const Targets = struct {
    /// Any CPU of the architecture.
    baseline: std.Build.ResolvedTarget,
    /// x86-64-v3; null on other architectures.
    avx2: ?std.Build.ResolvedTarget,
    /// x86-64-v4 with VBMI and VNNI; null on other architectures.
    avx512: ?std.Build.ResolvedTarget,
    /// Whether this machine, on which the tests run, has that.
    host_has_avx512: bool,
};

pub fn resolve(b: *std.Build) Targets {
    const standard = b.standardTargetOptions(.{});
    var query = standard.query;
    query.cpu_model = .baseline;
    const is_x86 = standard.result.cpu.arch == .x86_64;
    var avx2_query = query;
    if (is_x86) avx2_query.cpu_model = .{ .explicit = &std.Target.x86.cpu.x86_64_v3 };
    var avx512_query = query;
    if (is_x86) {
        avx512_query.cpu_model = .{ .explicit = &std.Target.x86.cpu.x86_64_v4 };
        avx512_query.cpu_features_add = std.Target.x86.featureSet(&.{ .avx512vbmi, .avx512vnni });
    }
    const host = b.graph.host.result.cpu;
    return .{
        .avx512 = if (is_x86) b.resolveTargetQuery(avx512_query) else null,
        .host_has_avx512 = host.arch == .x86_64 and host.has(.x86, .avx512bw) and host.has(.x86, .avx512vl) and
            host.has(.x86, .avx512vbmi) and host.has(.x86, .avx512vnni),
        .baseline = b.resolveTargetQuery(query),
        .avx2 = if (is_x86) b.resolveTargetQuery(avx2_query) else null,
    };
}
