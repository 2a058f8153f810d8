/** Loads the shared library, once a thread, and checks that it speaks the ABI version this package was written for. */
import { dlopen } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { builtLibrary } from "./build.ts";
import { SYMBOLS } from "./symbols.ts";

/** zig/c_abi/context.zig's abi_version. */
export const ABI_VERSION = 5;

function open(path: string) {
  try {
    return dlopen(path, SYMBOLS);
  } catch (cause) {
    throw new SherryError("native_mismatch", "the kernel library does not load", {
      expected: "a library with every symbol of src/native/symbols.ts",
      received: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_LIBRARY",
      cause,
    });
  }
}

let loaded: ReturnType<typeof open> | undefined;

/**
 * The library's raw functions. SHERRY_LIBRARY names a ready library instead of the one built from the sources.
 * @throws SherryError toolchain_missing | build_failed | native_mismatch
 */
export function library(): ReturnType<typeof open> {
  if (loaded !== undefined) return loaded;
  const opened = open(process.env["SHERRY_LIBRARY"] || builtLibrary());
  const version = opened.symbols.sherry_abi_version();
  if (version !== ABI_VERSION) {
    opened.close();
    throw new SherryError("native_mismatch", "the kernel library is of another version", {
      expected: `ABI version ${ABI_VERSION}`,
      received: String(version),
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_LIBRARY",
    });
  }
  loaded = opened;
  return opened;
}
