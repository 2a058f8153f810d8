const std = @import("std");
const format = @import("format.zig");
const sl = @import("kernels/sherry_linear.zig");
const prepare = @import("kernels/prepare.zig");
const prepared = @import("kernels/prepared.zig");
const table = @import("kernels/sherry_linear/avx2_table.zig");
const decode = @import("kernels/sherry_linear/avx2_decode.zig");
const scalar = @import("kernels/sherry_linear/scalar.zig");
const prep = @import("kernels/prepare/avx2.zig");

fn rdtsc() u64 {
    var lo: u32 = undefined;
    const hi = asm volatile ("rdtsc" : [hi] "={edx}" (-> u32), [lo] "={eax}" (lo));
    return @as(u64, hi) << 32 | lo;
}
fn now() u64 {
    var ts: std.os.linux.timespec = undefined;
    _ = std.os.linux.clock_gettime(.MONOTONIC, &ts);
    return @as(u64, @intCast(ts.sec)) * 1000000000 + @as(u64, @intCast(ts.nsec));
}
fn busy(n: usize) u64 {
    // dependent adds: one core clock each
    var x: u64 = 1;
    for (0..n) |_| x = asm volatile ("imul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]\nimul %[x], %[x]" : [x] "=r" (-> u64) : [x0] "0" (x));
    return x;
}
fn clock() f64 {
    var best: u64 = 1 << 60;
    for (0..50) |_| { const t = now(); std.mem.doNotOptimizeAway(busy(10000)); best = @min(best, now() - t); }
    return 300000.0 / @as(f64, @floatFromInt(best));
}
const al = std.heap.page_allocator;
const Case = struct { rows: usize = 2048, columns: usize = 2048, tokens: usize, gran: format.Granularity = .channel, group: u32 = 0, el: format.Element = .f32 };
fn bench(name: []const u8, run: anytype, withPrep: bool, c: Case) !void {
    const layout = format.SherryLayout.init(c.rows, c.columns, c.gran, c.group, c.el).?;
    const w = try al.alignedAlloc(u8, .@"64", layout.bytes);
    var g = std.Random.DefaultPrng.init(1);
    g.random().bytes(w[0..layout.codes_bytes]);
    @memset(w[layout.scales_offset..], 0x3c);
    const pl = prepared.Layout.init(c.tokens, c.columns).?;
    const p = try al.alignedAlloc(u8, .@"64", pl.bytes);
    const x = try al.alloc(f32, c.tokens * c.columns);
    for (x) |*v| v.* = g.random().floatNorm(f32);
    const y = try al.alloc(f32, c.tokens * c.rows);
    const pa = prepare.Arguments{ .x = x.ptr, .tokens = c.tokens, .columns = c.columns, .prepared = p.ptr };
    const a = sl.Arguments{ .weights = w.ptr, .rows = c.rows, .columns = c.columns, .granularity = c.gran, .group_columns = c.group, .scale_element = c.el, .prepared = p.ptr, .tokens = c.tokens, .y = y.ptr };
    prep.run(&pa, 0, c.tokens * pl.blocks);
    var best: u64 = 1 << 60; var bestp: u64 = 1 << 60;
    var all: [4000]u64 = undefined; var n: usize = 0;
    const hz = clock();
    const start = now();
    while (now() - start < 300_000_000 and n < 4000) {
        const t = now();
        if (withPrep) prep.run(&pa, 0, c.tokens * pl.blocks);
        const t2 = now();
        run(&a, 0, layout.tiles);
        const t3 = now();
        best = @min(best, t3 - t); bestp = @min(bestp, t2 - t);
        all[n] = t3 - t; n += 1;
    }
    std.mem.sort(u64, all[0..n], {}, std.sort.asc(u64));
    const hz2 = @max(hz, clock());
    const f: f64 = @floatFromInt(best);
    const cells: f64 = @floatFromInt(c.rows * c.columns * c.tokens);
    std.debug.print("{s:8} {}x{} tokens {} {s} {} {s}: min {d:.2} us median {d:.2} us, prep {d:.2} us, {d:.2} core cycles ({d:.2} at 2.3 GHz)/128 weights/token, {d:.1} GOPS, clock {d:.2} GHz, checksum {d:.3}\n", .{ name, c.rows, c.columns, c.tokens, @tagName(c.gran), c.group, @tagName(c.el), f / 1000, @as(f64, @floatFromInt(all[n / 2])) / 1000, @as(f64, @floatFromInt(bestp)) / 1000, f * hz2 / cells * 128, f * 2.3 / cells * 128, 2 * cells / f, hz2, y[0] });
    al.free(w); al.free(p); al.free(x); al.free(y);
}
pub fn main() !void {
    inline for (.{ 1, 2, 3, 4, 5, 8 }) |t| try bench("table", table.run, true, .{ .tokens = t });
    inline for (.{ 1, 2, 4, 8, 9, 16, 64, 128 }) |t| try bench("decode", decode.run, true, .{ .tokens = t });
    inline for (.{ 32, 64, 128, 256 }) |gr| inline for (.{ .f32, .f16, .bf16 }) |el| try bench("table", table.run, true, .{ .tokens = 1, .gran = .group, .group = gr, .el = el });
    inline for (.{ 32, 64, 128, 256 }) |gr| try bench("decode", decode.run, true, .{ .tokens = 64, .gran = .group, .group = gr, .el = .f16 });
    try bench("table", table.run, true, .{ .tokens = 1, .rows = 8192, .columns = 8192 });
    try bench("table", table.run, true, .{ .tokens = 1, .rows = 2048, .columns = 8192 });
    try bench("decode", decode.run, true, .{ .tokens = 64, .columns = 8192 });
    try bench("scalar", scalar.run, true, .{ .tokens = 1 });
}
