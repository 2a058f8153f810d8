//! What a packed tensor lost beside its checkpoint: sums that the caller carries from tile to tile, so that a tensor of
//! any size is measured in one pass. Relative RMS error = sqrt(squared_error / squared_weight).
const std = @import("std");

pub const Statistics = extern struct {
    /// Sum of (weight - stored)^2.
    squared_error: f64 = 0,
    /// Sum of weight^2.
    squared_weight: f64 = 0,
    /// Largest |weight - stored|.
    error_max: f64 = 0,
};

pub const Four = @Vector(4, f64);

/// The sums of one kernel call, four lanes wide: a single f64 chain would cost more than the packing itself.
pub const Lanes = struct {
    squared_error: Four = @splat(0),
    squared_weight: Four = @splat(0),
    error_max: Four = @splat(0),

    /// Takes four weights and what is stored in their place.
    pub inline fn add(self: *Lanes, weights: Four, stored: Four) void {
        const difference = weights - stored;
        self.squared_error += difference * difference;
        self.squared_weight += weights * weights;
        self.error_max = @max(self.error_max, @abs(difference));
    }

    /// Takes any number of weights; a last group of fewer than four is filled with exact zeros.
    pub fn addSlice(self: *Lanes, weights: []const f32, stored: []const f32) void {
        var index: usize = 0;
        while (index + 4 <= weights.len) : (index += 4) {
            const four_weights: @Vector(4, f32) = weights[index..][0..4].*;
            const four_stored: @Vector(4, f32) = stored[index..][0..4].*;
            self.add(@floatCast(four_weights), @floatCast(four_stored));
        }
        while (index < weights.len) : (index += 1) {
            self.add(.{ weights[index], 0, 0, 0 }, .{ stored[index], 0, 0, 0 });
        }
    }

    /// Adds this call's sums to the caller's. The lanes fold in one fixed order, so equal inputs give equal bits.
    pub fn addTo(self: Lanes, total: *Statistics) void {
        total.squared_error += (self.squared_error[0] + self.squared_error[1]) + (self.squared_error[2] + self.squared_error[3]);
        total.squared_weight += (self.squared_weight[0] + self.squared_weight[1]) + (self.squared_weight[2] + self.squared_weight[3]);
        total.error_max = @max(total.error_max, @reduce(.Max, self.error_max));
    }
};

test "sums and maximum over odd lengths, carried from call to call" {
    const weights = [_]f32{ 1, -2, 3, 0.5, -1, 4, 0 };
    const stored = [_]f32{ 1, -1, 3, 0, -1.5, 4, 0 };
    for (1..weights.len + 1) |length| {
        var total = Statistics{ .squared_error = 2, .squared_weight = 1, .error_max = 0.25 };
        var expected = total;
        var lanes = Lanes{};
        lanes.addSlice(weights[0..length], stored[0..length]);
        lanes.addTo(&total);
        for (weights[0..length], stored[0..length]) |weight, value| {
            const difference: f64 = weight - value;
            expected.squared_error += difference * difference;
            expected.squared_weight += weight * weight;
            expected.error_max = @max(expected.error_max, @abs(difference));
        }
        // Every number here is a small multiple of 1/16, so that the sums are exact in any order.
        try std.testing.expectEqual(expected, total);
    }
}
