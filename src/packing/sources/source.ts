/** `openSource`: what a command line names, as a place on this machine that can be packed. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../errors.ts";
import { hubSettings } from "./hub-settings.ts";
import { type DownloadProgress, fetchFromHub } from "./hub-source.ts";
import { parseSource, sourceName } from "./spec.ts";

export interface SourceOptions {
  /** Default: the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly on_progress?: (progress: DownloadProgress) => void;
  /** Stops a download; what came so far stays for the next run. The signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Before a failed request is tried again, doubling from try to try. */
  readonly retry_delay_ms?: number;
  /** Without a byte for so long, a connection counts as broken. */
  readonly silence_ms?: number;
}

export interface LocalSource {
  /** A Hugging Face folder, or a single file (GGUF). */
  readonly kind: "folder" | "file";
  readonly path: string;
  /** A short name for what is made of it. */
  readonly name: string;
}

const RETRY_DELAY_MS = 1_000;
const SILENCE_MS = 60_000;

/**
 * A local folder or file as it is; a model on the hub after its files were brought into the cache.
 * @param text a path, or hf:owner/name[/file.gguf][@revision]
 * @throws SherryError argument_invalid, file_not_found, source_denied (the hub wants a token, or another), source_unavailable
 *   (network, server), checkpoint_invalid (not what packing needs, or damaged on the way), file_unwritable (the cache);
 *   the signal's reason
 */
export async function openSource(text: string, options: SourceOptions = {}): Promise<LocalSource> {
  const spec = parseSource(text);
  const name = sourceName(spec);
  if (spec.kind === "local") return { kind: localKind(spec.path), path: spec.path, name };
  options.signal?.throwIfAborted();
  const hub_options = {
    settings: hubSettings(options.environment ?? process.env),
    signal: options.signal,
    retry_delay_ms: options.retry_delay_ms ?? RETRY_DELAY_MS,
    silence_ms: options.silence_ms ?? SILENCE_MS,
  };
  const folder = await fetchFromHub(spec, hub_options, options.on_progress ?? (() => {}));
  if (spec.file === null) return { kind: "folder", path: folder, name };
  return { kind: "file", path: join(folder, spec.file), name };
}

function localKind(path: string): "folder" | "file" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    const is_missing = code === "ENOENT" || code === "ENOTDIR";
    throw new SherryError(is_missing ? "file_not_found" : "file_unreadable", path, {
      expected: "a Hugging Face folder",
      received: is_missing ? "nothing of that name" : cause instanceof Error ? cause.message : String(cause),
      next_step: "Check the path; a model on the hub is hf:owner/name",
      cause,
    });
  }
}
