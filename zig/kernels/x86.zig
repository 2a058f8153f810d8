//! AVX2 instructions that plain @Vector code has no operator for, or would have rewritten: one function, one instruction;
//! and the loads that go with them. At the end those that only the AVX-512 level has.
//!
//! They are inline assembly rather than compiler intrinsics because Zig has none, and because the compiler must not see
//! through them: given plain additions it re-associates the chains of byte sums in sherry_linear and turns a doubling
//! into a shift and a mask, which costs registers and operations. Volatile are those that name memory, and the last ones: of
//! the others a result that nobody reads goes away. "v" names any vector register, of which the AVX-512 level has 32; "x"
//! one of the first sixteen, for instructions that know no others.
//! Semantics: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. "In each lane" means that the
//! instruction works on the two 16-byte halves apart.

pub const Bytes = @Vector(32, u8);
pub const Words = @Vector(16, i16);
pub const DoubleWords = @Vector(8, i32);
pub const Floats = @Vector(8, f32);
/// 64 bytes, of the AVX-512 level.
pub const WideBytes = @Vector(64, u8);
pub const WideWords = @Vector(32, i16);
pub const WideDoubleWords = @Vector(16, i32);

/// 32 bytes from memory, aligned or not.
pub inline fn load(address: [*]const u8) Bytes {
    return address[0..32].*;
}

/// 64 bytes from memory, aligned or not.
pub inline fn loadWide(address: [*]const u8) WideBytes {
    return address[0..64].*;
}

/// Sixteen bytes from each address: the first lane, the second lane.
pub inline fn loadLanes(first: [*]const u8, second: [*]const u8) Bytes {
    const first_lane: @Vector(2, u64) = @bitCast(@as(@Vector(16, u8), first[0..16].*));
    const second_lane: @Vector(2, u64) = @bitCast(@as(@Vector(16, u8), second[0..16].*));
    return @bitCast(@shuffle(u64, first_lane, second_lane, [4]i32{ 0, 1, -1, -2 }));
}

/// The first lane of `a`, the first lane of `b`.
pub inline fn firstLanes(a: Bytes, b: Bytes) Bytes {
    return @bitCast(@shuffle(u64, @as(@Vector(4, u64), @bitCast(a)), @as(@Vector(4, u64), @bitCast(b)), [4]i32{ 0, 1, -1, -2 }));
}

/// The second lane of `a`, the second lane of `b`.
pub inline fn secondLanes(a: Bytes, b: Bytes) Bytes {
    return @bitCast(@shuffle(u64, @as(@Vector(4, u64), @bitCast(a)), @as(@Vector(4, u64), @bitCast(b)), [4]i32{ 2, 3, -3, -4 }));
}

/// Four signed bytes, repeated over the vector.
pub inline fn repeatQuad(address: [*]const i8) Bytes {
    const quad: i32 = @bitCast(@as(@Vector(4, i8), address[0..4].*));
    return @bitCast(@as(DoubleWords, @splat(quad)));
}

/// Asks for the 64 bytes that lie `ahead_bytes` further, to the second-level cache (prefetcht1): a core keeps a few dozen
/// lines on their way to the first level and many more on their way to the second, and memory is as far away as more than
/// a few dozen lines last. Past the end of the data it asks for something else, which is harmless: a prefetch never faults.
pub inline fn prefetch(address: [*]const u8, comptime ahead_bytes: usize) void {
    asm volatile ("prefetcht1 %[ahead:c](%[address])"
        :
        : [address] "r" (address),
          [ahead] "i" (ahead_bytes),
    );
}

/// vphaddd: in each lane the sums of a's neighbours, then of b's.
pub inline fn addNeighbours(a: DoubleWords, b: DoubleWords) DoubleWords {
    return @shuffle(i32, a, b, [8]i32{ 0, 2, -1, -3, 4, 6, -5, -7 }) +%
        @shuffle(i32, a, b, [8]i32{ 1, 3, -2, -4, 5, 7, -6, -8 });
}

/// The sums of the two lanes: of a in the first lane, of b in the second.
pub inline fn addHalves(a: DoubleWords, b: DoubleWords) DoubleWords {
    return @shuffle(i32, a, b, [8]i32{ 0, 1, 2, 3, -1, -2, -3, -4 }) +%
        @shuffle(i32, a, b, [8]i32{ 4, 5, 6, 7, -5, -6, -7, -8 });
}

/// vphaddw: in each lane the sums of a's neighbouring words, then of b's, wrapping.
pub inline fn addNeighbourWords(a: Words, b: Words) Words {
    return asm ("vphaddw %[b], %[a], %[result]"
        : [result] "=x" (-> Words),
        : [a] "x" (a),
          [b] "x" (b),
    );
}

/// vpshufb: in each lane, byte i of the result is table[indexes[i] & 15], or 0 when bit 7 of indexes[i] is set.
pub inline fn lookUp(table: Bytes, indexes: Bytes) Bytes {
    return asm ("vpshufb %[indexes], %[table], %[result]"
        : [result] "=v" (-> Bytes),
        : [table] "v" (table),
          [indexes] "v" (indexes),
    );
}

/// vpsignb: each signed byte negated where `signs` is negative, 0 where it is 0, unchanged where it is positive.
pub inline fn applySigns(values: Bytes, signs: Bytes) Bytes {
    return asm ("vpsignb %[signs], %[values], %[result]"
        : [result] "=x" (-> Bytes),
        : [values] "x" (values),
          [signs] "x" (signs),
    );
}

/// vpaddb: byte by byte, wrapping.
pub inline fn addBytes(a: Bytes, b: Bytes) Bytes {
    return asm ("vpaddb %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpmaddubsw: products of unsigned and signed bytes, neighbours added, saturating at 16 bits.
pub inline fn multiplyAddBytes(unsigned: Bytes, signed: Bytes) Words {
    return asm ("vpmaddubsw %[signed], %[unsigned], %[result]"
        : [result] "=v" (-> Words),
        : [unsigned] "v" (unsigned),
          [signed] "v" (signed),
    );
}

/// vpmaddwd: products of signed 16-bit words, neighbours added to 32 bits.
pub inline fn multiplyAddWords(a: Words, b: Words) DoubleWords {
    return asm ("vpmaddwd %[b], %[a], %[result]"
        : [result] "=v" (-> DoubleWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpmulhrsw: (a * b + 16384) >> 15, word by word.
pub inline fn multiplyHighRounded(a: Words, b: Words) Words {
    return asm ("vpmulhrsw %[b], %[a], %[result]"
        : [result] "=v" (-> Words),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpackssdw: in each lane the four 32-bit words of `a`, then those of `b`, saturated to 16 bits.
pub inline fn packDoubleWords(a: DoubleWords, b: DoubleWords) Words {
    return asm ("vpackssdw %[b], %[a], %[result]"
        : [result] "=v" (-> Words),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpacksswb: in each lane the eight words of `a`, then those of `b`, saturated to signed bytes.
pub inline fn packWords(a: Words, b: Words) Bytes {
    return asm ("vpacksswb %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vcvtps2dq: to the nearest integer, halves to even (the rounding mode that every thread starts with).
pub inline fn roundToIntegers(values: Floats) DoubleWords {
    return asm ("vcvtps2dq %[values], %[result]"
        : [result] "=v" (-> DoubleWords),
        : [values] "v" (values),
    );
}

/// vpunpcklbw: in each lane the low eight bytes of `a` and `b` by turns: a0 b0 a1 b1 ...
pub inline fn interleaveLowBytes(a: Bytes, b: Bytes) Bytes {
    return asm ("vpunpcklbw %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpckhbw: in each lane the high eight bytes of `a` and `b` by turns.
pub inline fn interleaveHighBytes(a: Bytes, b: Bytes) Bytes {
    return asm ("vpunpckhbw %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpcklwd: in each lane the low four words of `a` and `b` by turns.
pub inline fn interleaveLowWords(a: Words, b: Words) Words {
    return asm ("vpunpcklwd %[b], %[a], %[result]"
        : [result] "=v" (-> Words),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpckhwd: in each lane the high four words of `a` and `b` by turns.
pub inline fn interleaveHighWords(a: Words, b: Words) Words {
    return asm ("vpunpckhwd %[b], %[a], %[result]"
        : [result] "=v" (-> Words),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpckldq: in each lane the low two 32-bit words of `a` and `b` by turns.
pub inline fn interleaveLowDoubleWords(a: DoubleWords, b: DoubleWords) DoubleWords {
    return asm ("vpunpckldq %[b], %[a], %[result]"
        : [result] "=v" (-> DoubleWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpckhdq: in each lane the high two 32-bit words of `a` and `b` by turns.
pub inline fn interleaveHighDoubleWords(a: DoubleWords, b: DoubleWords) DoubleWords {
    return asm ("vpunpckhdq %[b], %[a], %[result]"
        : [result] "=v" (-> DoubleWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpcklqdq: in each lane the low eight bytes of `a`, then those of `b`.
pub inline fn interleaveLowHalves(a: Bytes, b: Bytes) Bytes {
    return asm ("vpunpcklqdq %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpunpckhqdq: in each lane the high eight bytes of `a`, then those of `b`.
pub inline fn interleaveHighHalves(a: Bytes, b: Bytes) Bytes {
    return asm ("vpunpckhqdq %[b], %[a], %[result]"
        : [result] "=v" (-> Bytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpermb (AVX-512 VBMI): byte i of the result is table[indexes[i] & 31], across both lanes, of the table that lies `offset`
/// bytes from `address`. Volatile, because it reads memory, which the compiler must know of lest it move a write of the
/// table past it.
pub inline fn lookUpWide(address: [*]const u8, comptime offset: usize, indexes: Bytes) Bytes {
    return asm volatile ("vpermb %[offset:c](%[address]), %[indexes], %[result]"
        : [result] "=v" (-> Bytes),
        : [address] "r" (address),
          [offset] "i" (offset),
          [indexes] "v" (indexes),
    );
}

/// `multiplyAddWords` of 64 bytes.
pub inline fn multiplyAddWideWords(a: WideWords, b: WideWords) WideDoubleWords {
    return asm ("vpmaddwd %[b], %[a], %[result]"
        : [result] "=v" (-> WideDoubleWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// `addProducts` of 64 bytes.
pub inline fn addWideProducts(sums: WideDoubleWords, unsigned: WideBytes, signed: WideBytes) WideDoubleWords {
    return asm ("vpdpbusd %[signed], %[unsigned], %[result]"
        : [result] "=v" (-> WideDoubleWords),
        : [sums] "0" (sums),
          [unsigned] "v" (unsigned),
          [signed] "v" (signed),
    );
}

// The following are volatile so that they stay in the order in which they are written: the compiler would move what is used
// later to where it is used, which costs where the order was chosen by measurement.

/// vpermw (AVX-512 BW): word i of the result is table[indexes[i] & 31].
pub inline fn lookUpWords(table: WideWords, indexes: WideWords) WideWords {
    return asm volatile ("vpermw %[table], %[indexes], %[result]"
        : [result] "=v" (-> WideWords),
        : [table] "v" (table),
          [indexes] "v" (indexes),
    );
}

/// vpaddw: word by word, wrapping.
pub inline fn addWords(a: WideWords, b: WideWords) WideWords {
    return asm volatile ("vpaddw %[b], %[a], %[result]"
        : [result] "=v" (-> WideWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// `addWords` of 32 bytes: one of `terms` after the other. Left to itself, the compiler keeps the terms of many sums on the stack
/// before it adds them.
pub inline fn accumulateWords(sums: Words, terms: Words) Words {
    return asm volatile ("vpaddw %[terms], %[sums], %[result]"
        : [result] "=v" (-> Words),
        : [sums] "v" (sums),
          [terms] "v" (terms),
    );
}

/// `addBytes` of 64 bytes.
pub inline fn addWideBytes(a: WideBytes, b: WideBytes) WideBytes {
    return asm volatile ("vpaddb %[b], %[a], %[result]"
        : [result] "=v" (-> WideBytes),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpsrlvw (AVX-512 BW): each word moved right by as many bits as that of `bits` says.
pub inline fn shiftWordsRight(a: WideBytes, bits: WideWords) WideBytes {
    return asm volatile ("vpsrlvw %[bits], %[a], %[result]"
        : [result] "=v" (-> WideBytes),
        : [a] "v" (a),
          [bits] "v" (bits),
    );
}

/// vpmulhuw: the upper halves of the products of unsigned words.
pub inline fn multiplyHighUnsigned(a: WideWords, b: WideWords) WideWords {
    return asm volatile ("vpmulhuw %[b], %[a], %[result]"
        : [result] "=v" (-> WideWords),
        : [a] "v" (a),
          [b] "v" (b),
    );
}

/// vpternlogd: the bits of `a` where those of `mask` are set, else those of `b`.
pub inline fn selectBits(mask: WideBytes, a: WideBytes, b: WideBytes) WideBytes {
    return asm volatile ("vpternlogd $0xe2, %[b], %[mask], %[result]"
        : [result] "=v" (-> WideBytes),
        : [a] "0" (a),
          [b] "v" (b),
          [mask] "v" (mask),
    );
}

/// vpdpbusd (AVX-512 VNNI): to each 32-bit word of `sums`, the four products of unsigned and signed bytes, wrapping.
pub inline fn addProducts(sums: DoubleWords, unsigned: Bytes, signed: Bytes) DoubleWords {
    return asm volatile ("vpdpbusd %[signed], %[unsigned], %[result]"
        : [result] "=v" (-> DoubleWords),
        : [sums] "0" (sums),
          [unsigned] "v" (unsigned),
          [signed] "v" (signed),
    );
}
