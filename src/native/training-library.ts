/**
 * The training kernels' own shared library, built when training first asks for it; the product never opens it.
 */
import { dlopen } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { builtLibrary } from "./build.ts";
import { TRAINING_SYMBOLS } from "./symbols.ts";

/** zig/training/context.zig's abi_version. */
export const TRAINING_ABI_VERSION = 1;

function open(path: string) {
  try {
    return dlopen(path, TRAINING_SYMBOLS);
  } catch (cause) {
    throw new SherryError("native_mismatch", "the training library does not load", {
      expected: "a library with every symbol of TRAINING_SYMBOLS in src/native/symbols.ts",
      received: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_TRAINING_LIBRARY",
      cause,
    });
  }
}

let loaded: ReturnType<typeof open> | undefined;

/**
 * The training library's raw functions. SHERRY_TRAINING_LIBRARY names a ready library instead of the one built here.
 * @throws SherryError toolchain_missing | build_failed | native_mismatch
 */
export function trainingLibrary(): ReturnType<typeof open> {
  if (loaded !== undefined) return loaded;
  const opened = open(process.env["SHERRY_TRAINING_LIBRARY"] || builtLibrary("sherry_training"));
  const version = opened.symbols.sherry_train_abi_version();
  if (version !== TRAINING_ABI_VERSION) {
    opened.close();
    throw new SherryError("native_mismatch", "the training library is of another version", {
      expected: `ABI version ${TRAINING_ABI_VERSION}`,
      received: String(version),
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_TRAINING_LIBRARY",
    });
  }
  loaded = opened;
  return opened;
}
