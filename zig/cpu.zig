//! Which instruction set level this machine and its operating system really offer, asked of CPUID and XGETBV (Intel
//! SDM volume 1, section 14.3): a hypervisor may hide a feature, an operating system may not save its registers.
const builtin = @import("builtin");

/// What kernels are compiled for. A higher value includes the lower ones.
pub const Level = enum(u32) {
    /// Any CPU of the architecture; the reference.
    scalar = 0,
    /// AVX2, FMA, F16C, BMI1, BMI2, LZCNT, MOVBE: what x86-64-v3 promises.
    avx2 = 1,
    /// The same, and AVX-512 F, BW, CD, DQ, VL (x86-64-v4), VBMI and VNNI: Ice Lake, Zen 4 and later.
    avx512 = 2,
};

/// The best level that runs here.
pub fn detect() Level {
    if (builtin.cpu.arch != .x86_64) return .scalar;
    if (!hasX86Level3()) return .scalar;
    return if (hasAvx512()) .avx512 else .avx2;
}

const Leaf = struct { eax: u32, ebx: u32, ecx: u32, edx: u32 };

fn cpuid(leaf: u32, subleaf: u32) Leaf {
    var eax: u32 = undefined;
    var ebx: u32 = undefined;
    var ecx: u32 = undefined;
    var edx: u32 = undefined;
    asm volatile ("cpuid"
        : [eax] "={eax}" (eax),
          [ebx] "={ebx}" (ebx),
          [ecx] "={ecx}" (ecx),
          [edx] "={edx}" (edx),
        : [leaf] "{eax}" (leaf),
          [subleaf] "{ecx}" (subleaf),
    );
    return .{ .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };
}

/// The register states that the operating system saves (XCR0's low half). Only valid when CPUID reports OSXSAVE.
fn savedStates() u32 {
    return asm volatile (
        \\ xorl %%ecx, %%ecx
        \\ xgetbv
        : [eax] "={eax}" (-> u32),
        :
        : .{ .edx = true, .ecx = true });
}

fn has(register: u32, comptime bits: []const u5) bool {
    inline for (bits) |bit| {
        if (register & (@as(u32, 1) << bit) == 0) return false;
    }
    return true;
}

fn hasX86Level3() bool {
    if (cpuid(0, 0).eax < 7) return false;
    if (cpuid(0x80000000, 0).eax < 0x80000001) return false;
    const leaf_1 = cpuid(1, 0).ecx;
    // FMA, MOVBE, OSXSAVE, AVX, F16C.
    if (!has(leaf_1, &.{ 12, 22, 27, 28, 29 })) return false;
    // XMM and YMM state.
    if (!has(savedStates(), &.{ 1, 2 })) return false;
    // BMI1, AVX2, BMI2.
    if (!has(cpuid(7, 0).ebx, &.{ 3, 5, 8 })) return false;
    // LZCNT.
    return has(cpuid(0x80000001, 0).ecx, &.{5});
}

/// Given what hasX86Level3 has found.
fn hasAvx512() bool {
    // Beside XMM and YMM state: opmask, the upper halves of ZMM0-15, ZMM16-31.
    if (!has(savedStates(), &.{ 5, 6, 7 })) return false;
    const leaf_7 = cpuid(7, 0);
    // F, DQ, CD, BW, VL; VBMI, VNNI.
    return has(leaf_7.ebx, &.{ 16, 17, 28, 30, 31 }) and has(leaf_7.ecx, &.{ 1, 11 });
}
