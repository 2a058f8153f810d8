//! Prints src/native/symbols.ts: the FFI signature of every exported function, read from the declarations themselves,
//! so that the two sides cannot drift apart. `zig build bindings` runs it; a test compares the output with the file.
const std = @import("std");
const bench = @import("bench.zig");
const c_abi = @import("c_abi.zig");
const calls = @import("c_abi/calls.zig");
const training = @import("training_library.zig");

fn ffiType(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .pointer => "ptr",
        .optional => |optional| ffiType(optional.child),
        else => switch (T) {
            u32 => "u32",
            i32 => "i32",
            usize, u64 => "u64",
            f32 => "f32",
            f64 => "f64",
            else => @compileError("no FFI type for " ++ @typeName(T)),
        },
    };
}

pub fn main(init: std.process.Init) !void {
    var buffer: [4096]u8 = undefined;
    var file = std.Io.File.Writer.init(.stdout(), init.io, &buffer);
    const out = &file.interface;
    try out.writeAll(
        \\/**
        \\ * The C ABI's signatures, written by `zig build bindings` from zig/c_abi, zig/bench and zig/training. Do not
        \\ * edit: change the Zig declarations and run `bun scripts/write-bindings.ts`.
        \\ */
        \\
    );
    try printTable(out, "SYMBOLS", c_abi.modules);
    try out.writeAll("\n/** The functions that sherry_run_calls makes calls of, by their numbers there. */\n");
    try out.writeAll("export const CALL_NUMBERS = {\n");
    inline for (calls.listed, 0..) |function, number| try out.print("  {s}: {d},\n", .{ function[1], number });
    try out.writeAll("} as const;\n");
    try out.writeAll("\n/** Of libsherry_bench, which benches alone load. */\n");
    try printTable(out, "BENCH_SYMBOLS", bench.modules);
    try out.writeAll("\n/** Of libsherry_training, which training alone loads. */\n");
    try printTable(out, "TRAINING_SYMBOLS", training.modules);
    try out.flush();
}

fn printTable(out: *std.Io.Writer, name: []const u8, comptime modules: anytype) !void {
    try out.print("export const {s} = {{\n", .{name});
    inline for (modules) |module| {
        inline for (@typeInfo(module).@"struct".decl_names) |declaration| {
            if (comptime std.mem.startsWith(u8, declaration, "sherry_")) {
                const value = @field(module, declaration);
                const function = @typeInfo(@TypeOf(value)).@"fn";
                try out.print("  {s}: {{ args: [", .{declaration});
                inline for (function.param_types, 0..) |parameter, index| {
                    try out.print("{s}\"{s}\"", .{ if (index == 0) "" else ", ", ffiType(parameter.?) });
                }
                try out.print("], returns: \"{s}\" }},\n", .{ffiType(function.return_type.?)});
            }
        }
    }
    try out.writeAll("} as const;\n");
}
