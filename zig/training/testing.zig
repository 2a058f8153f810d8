//! What the training kernels' tests share: numbers in f64, gradients against central differences, the levels against each
//! other. Only `test` blocks use it.
const std = @import("std");
const kernel = @import("../kernels/kernel.zig");

pub const allocator = std.testing.allocator;

/// `count` normally distributed numbers; the caller frees them.
pub fn normals(comptime Float: type, random: std.Random, count: usize) ![]Float {
    const result = try allocator.alloc(Float, count);
    for (result) |*value| value.* = random.floatNorm(Float);
    return result;
}

pub fn zeros(comptime Float: type, count: usize) ![]Float {
    const result = try allocator.alloc(Float, count);
    @memset(result, 0);
    return result;
}

/// sum of weights * values: the loss whose gradient with respect to `values` is `weights`.
pub fn dot(weights: []const f64, values: []const f64) f64 {
    var sum: f64 = 0;
    for (weights, values) |weight, value| sum += weight * value;
    return sum;
}

/// Fails unless `gradient` is the derivative of `loss(context)` with respect to each element of `parameter`. A central
/// difference over 2e-5 is off by its square (4e-10 times a third derivative) and by the loss's rounding over 2e-5.
pub fn expectGradient(parameter: []f64, gradient: []const f64, context: anytype, comptime loss: fn (@TypeOf(context)) f64) !void {
    const step = 1e-5;
    try std.testing.expectEqual(parameter.len, gradient.len);
    for (parameter, gradient, 0..) |*value, expected, index| {
        const before = value.*;
        value.* = before + step;
        const above = loss(context);
        value.* = before - step;
        const below = loss(context);
        value.* = before;
        const difference = (above - below) / (2 * step);
        if (@abs(difference - expected) <= 2e-7 * @max(1, @abs(expected))) continue;
        std.debug.print("parameter {d}: difference {d}, gradient {d}\n", .{ index, difference, expected });
        return error.TestGradient;
    }
}

/// Runs all units of a kernel, cut in two where a third ends, the last part first.
pub fn run(function: *const kernel.Run, arguments: *const anyopaque, units: usize) void {
    function(arguments, units / 3, units);
    function(arguments, 0, units / 3);
}

/// Fails unless |actual - expected| <= tolerance everywhere.
pub fn expectNear(expected: []const f32, actual: []const f32, tolerance: f32) !void {
    try std.testing.expectEqual(expected.len, actual.len);
    for (expected, actual, 0..) |a, b, index| {
        if (@abs(a - b) <= tolerance) continue;
        std.debug.print("element {d}: expected {d} within {d}, got {d}\n", .{ index, a, tolerance, b });
        return error.TestExpectedNear;
    }
}
