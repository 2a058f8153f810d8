//! Softmax cross-entropy: loss = log(sum e^z) - z[target] in nats; dz = scale (softmax(z) - onehot(target)). A token whose
//! target is `ignored` has loss 0 and gradient 0. Targets are below V or ignored: the C ABI checks that first.
//!
//! Unit of work: one token.

pub const ignored: u32 = 0xffff_ffff;

pub fn Arguments(comptime Float: type) type {
    return extern struct {
        /// [N, V]
        logits: [*]const Float,
        targets: [*]const u32,
        vocabulary: usize,
        scale: Float,
        /// [N], not scaled.
        losses: [*]Float,
        /// [N, V]; may be the logits.
        dlogits: [*]Float,
    };
}

const std = @import("std");
const testing = @import("testing.zig");

test "the gradient of cross-entropy, written over the logits; an ignored token has none" {
    const Scalar = @import("cross_entropy/scalar.zig").Scalar(f64);
    const targets = [_]u32{ 3, ignored, 0, 16 };
    const vocabulary = 17;
    const count = targets.len * vocabulary;
    var source = std.Random.DefaultPrng.init(0xce1);
    const logits = try testing.normals(f64, source.random(), count);
    defer testing.allocator.free(logits);
    const dlogits = try testing.zeros(f64, count);
    defer testing.allocator.free(dlogits);
    var losses: [targets.len]f64 = undefined;
    const scale = 0.375;
    const Layer = struct {
        values: *const Arguments(f64),
        losses: []const f64,

        fn loss(self: *const @This()) f64 {
            testing.run(&Scalar.run, self.values, targets.len);
            return testing.dot(&@as([targets.len]f64, @splat(scale)), self.losses);
        }
    };
    const values = Arguments(f64){
        .logits = logits.ptr,
        .targets = &targets,
        .vocabulary = vocabulary,
        .scale = scale,
        .losses = &losses,
        .dlogits = dlogits.ptr,
    };
    const layer = Layer{ .values = &values, .losses = &losses };
    _ = layer.loss();
    try std.testing.expectEqual(0, losses[1]);
    const in_place = try testing.allocator.dupe(f64, logits);
    defer testing.allocator.free(in_place);
    var aliased = values;
    aliased.logits = in_place.ptr;
    aliased.dlogits = in_place.ptr;
    testing.run(&Scalar.run, &aliased, targets.len);
    try std.testing.expectEqualSlices(f64, dlogits, in_place);
    try testing.expectGradient(logits, in_place, &layer, Layer.loss);
    for (in_place[vocabulary..][0..vocabulary]) |gradient| try std.testing.expectEqual(0, gradient);
}
