//! Prints src/native/symbols.ts: the FFI signature of every exported function, read from the declarations themselves,
//! so that the two sides cannot drift apart. `zig build bindings` runs it; a test compares the output with the file.
const std = @import("std");
const c_abi = @import("c_abi.zig");

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
        \\ * The C ABI's signatures, written by `zig build bindings` from zig/c_abi. Do not edit: change the Zig
        \\ * declarations and run `bun scripts/write-bindings.ts`.
        \\ */
        \\export const SYMBOLS = {
        \\
    );
    inline for (c_abi.modules) |module| {
        inline for (@typeInfo(module).@"struct".decl_names) |name| {
            if (comptime std.mem.startsWith(u8, name, "sherry_")) {
                const value = @field(module, name);
                const function = @typeInfo(@TypeOf(value)).@"fn";
                try out.print("  {s}: {{ args: [", .{name});
                inline for (function.param_types, 0..) |parameter, index| {
                    try out.print("{s}\"{s}\"", .{ if (index == 0) "" else ", ", ffiType(parameter.?) });
                }
                try out.print("], returns: \"{s}\" }},\n", .{ffiType(function.return_type.?)});
            }
        }
    }
    try out.writeAll("} as const;\n");
    try out.flush();
}
