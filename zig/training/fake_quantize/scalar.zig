//! Fake quantization, scalar.
const fake_quantize = @import("../fake_quantize.zig");
const group_sums = @import("../../kernels/packing/group_sums.zig");

const Arguments = fake_quantize.Arguments;

/// Sums of the magnitudes of each range: of the kept ones for sherry, else of all.
pub fn magnitudes(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    if (begin == end) return;
    const groups = a.groups();
    if (a.method == .sherry) {
        const sums = a.sums[begin * groups .. end * groups];
        return group_sums.run(a.w[begin * a.columns .. end * a.columns], a.columns, a.group_columns, sums);
    }
    for (begin * groups..end * groups) |range| {
        var sum: f64 = 0;
        for (a.w[range * a.group_columns ..][0..a.group_columns]) |weight| sum += @abs(weight);
        a.sums[range] = sum;
    }
}

/// Sums and counts of the magnitudes above each range's threshold.
pub fn above(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const groups = a.groups();
    for (begin * groups..end * groups) |range| {
        const threshold = a.thresholds[if (a.is_tensor != 0) 0 else range];
        var sum: f64 = 0;
        var count: u64 = 0;
        for (a.w[range * a.group_columns ..][0..a.group_columns]) |weight| {
            if (@abs(weight) <= threshold) continue;
            sum += @abs(weight);
            count += 1;
        }
        a.sums[range] = sum;
        a.counts[range] = count;
    }
}

/// The effective weights, given the scales.
pub fn write(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const groups = a.groups();
    for (begin * groups..end * groups) |range| {
        const index = if (a.is_tensor != 0) 0 else range;
        const offset = range * a.group_columns;
        const weights = a.w[offset..][0..a.group_columns];
        const effective = a.effective[offset..][0..a.group_columns];
        switch (a.method) {
            .none => @memcpy(effective, weights),
            .sherry => {
                var column: usize = 0;
                while (column < weights.len) : (column += 4) {
                    const block: @Vector(4, f32) = weights[column..][0..4].*;
                    const dropped = group_sums.leastOf(@abs(block));
                    inline for (0..4) |i| {
                        effective[column + i] = if (i == dropped) 0 else signed(block[i], a.scales[index]);
                    }
                }
            },
            .absmean => for (weights, effective) |weight, *out| {
                out.* = if (@abs(weight) < a.scales[index] / 2) 0 else signed(weight, a.scales[index]);
            },
            .twn => for (weights, effective) |weight, *out| {
                out.* = if (@abs(weight) <= a.thresholds[index]) 0 else signed(weight, a.scales[index]);
            },
            .binary => for (weights, effective) |weight, *out| {
                out.* = signed(weight, a.scales[index]);
            },
        }
        // Not with lambda 0: the last phase's weights are exactly Q's, also where W is not finite.
        if (a.lambda != 0) for (weights, effective) |weight, *out| {
            out.* += a.lambda * weight;
        };
    }
}

fn signed(weight: f32, scale: f32) f32 {
    return if (weight < 0 and scale != 0) -scale else scale;
}

/// Where each block of four has its zero under sherry.
pub fn zeroPositions(raw: *const anyopaque, begin: usize, end: usize) callconv(.c) void {
    const a: *const Arguments = @ptrCast(@alignCast(raw));
    const blocks = a.columns / 4;
    for (begin * blocks..end * blocks) |block| {
        a.positions[block] = group_sums.leastOf(@abs(@as(@Vector(4, f32), a.w[block * 4 ..][0..4].*)));
    }
}
