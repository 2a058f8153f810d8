/**
 * Brings the files that packing needs from the hub into the cache: config, tokenizer, template and safetensors of a
 * repository, or one GGUF file with its further parts. Offline, it only looks whether they are there.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../errors.ts";
import { readShardIndex } from "../checkpoint-weights.ts";
import { excerpt } from "../excerpt.ts";
import { download } from "./download.ts";
import { HubCache } from "./hub-cache.ts";
import { HubClient, type HubFile, type HubOptions } from "./hub-client.ts";
import type { SourceSpec } from "./spec.ts";

export interface DownloadProgress {
  readonly file: string;
  readonly bytes_done: number;
  /** Of the files known to be needed so far. */
  readonly bytes_total: number;
  readonly elapsed_ms: number;
}

export type HubSpec = Extract<SourceSpec, { kind: "hub" }>;

const CONFIG = "config.json";
const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** What a checkpoint may have beside config and weights. */
const TEXTS = ["generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

/** @returns the folder with the snapshot's files. @throws SherryError as openSource */
export async function fetchFromHub(
  spec: HubSpec,
  options: HubOptions,
  on_progress: (progress: DownloadProgress) => void,
): Promise<string> {
  const cache = new HubCache(options.settings.cache_folder, spec.repository);
  if (options.settings.is_offline) return cachedSnapshot(spec, cache);
  const client = await HubClient.create(spec.repository, options);
  const commit = await client.commitOf(spec.revision);
  const fetcher = new Fetcher(client, cache, commit, on_progress);
  await (spec.file === null ? fetchCheckpoint(fetcher) : fetchParts(fetcher, ggufParts(spec.file)));
  // Last, so that the revision keeps naming a whole snapshot whatever happens before.
  cache.rememberCommit(spec.revision, commit);
  return cache.snapshot(commit);
}

class Fetcher {
  readonly client: HubClient;
  readonly commit: string;
  readonly folder: string;
  readonly #cache: HubCache;
  readonly #on_progress: (progress: DownloadProgress) => void;
  readonly #started = performance.now();
  #bytes_done = 0;
  #bytes_total = 0;

  constructor(
    client: HubClient,
    cache: HubCache,
    commit: string,
    on_progress: (progress: DownloadProgress) => void,
  ) {
    this.client = client;
    this.commit = commit;
    this.folder = cache.snapshot(commit);
    this.#cache = cache;
    this.#on_progress = on_progress;
  }

  find(paths: readonly string[]): Promise<ReadonlyMap<string, HubFile>> {
    return this.client.files(this.commit, paths);
  }

  async fetch(files: Iterable<HubFile>): Promise<void> {
    const missing = [...files].filter((file) => !this.#cache.has(this.commit, file));
    this.#bytes_total += missing.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of missing) {
      const before = this.#bytes_done;
      await download(this.client, this.#cache, this.commit, file, (bytes) => {
        this.#bytes_done = before + bytes;
        this.#on_progress({
          file: file.path,
          bytes_done: this.#bytes_done,
          bytes_total: this.#bytes_total,
          elapsed_ms: performance.now() - this.#started,
        });
      });
    }
  }
}

async function fetchCheckpoint(fetcher: Fetcher): Promise<void> {
  const files = await fetcher.find([CONFIG, ...TEXTS, SINGLE, INDEX]);
  const weights = files.has(SINGLE) ? SINGLE : INDEX;
  if (!files.has(CONFIG) || !files.has(weights)) throw await noCheckpoint(fetcher, files.has(CONFIG));
  const small = [CONFIG, ...TEXTS, ...(weights === INDEX ? [INDEX] : [])];
  await fetcher.fetch(small.flatMap((path) => files.get(path) ?? []));
  if (weights === SINGLE) await fetcher.fetch([...files.values()].filter((file) => file.path === SINGLE));
  else await fetchParts(fetcher, [...new Set(readShardIndex(fetcher.folder).values())].sort());
}

/** Fetches files that all have to be there. */
async function fetchParts(fetcher: Fetcher, paths: readonly string[]): Promise<void> {
  const files = await fetcher.find(paths);
  for (const path of paths) {
    if (files.has(path)) continue;
    throw new SherryError("file_not_found", `hf:${fetcher.client.repository}: ${excerpt(path)}`, {
      expected: "a file of the repository",
      received: "no such file",
      next_step: "Check the name on the model's page",
    });
  }
  await fetcher.fetch(files.values());
}

async function noCheckpoint(fetcher: Fetcher, has_config: boolean): Promise<SherryError> {
  const { repository } = fetcher.client;
  const names = await fetcher.client.names(fetcher.commit);
  const gguf = names.filter((name) => name.endsWith(".gguf"));
  const others = names.filter((name) => /\.(?:bin|pt|pth)$/.test(name));
  const found = gguf.length > 0 ? gguf : others;
  return new SherryError("checkpoint_invalid", `hf:${repository}`, {
    expected: has_config ? `${SINGLE} or ${INDEX}` : "a config.json and safetensors",
    received: found.length === 0 ? "a repository without" : excerpt(found.slice(0, 4).join(", ")),
    next_step:
      gguf[0] === undefined
        ? "Look for a repository of the same model in safetensors"
        : `Name one of its GGUF files: hf:${repository}/${excerpt(gguf[0])}`,
  });
}

/** All parts of a split GGUF file, of which the name says how many there are; else the file alone. */
export function ggufParts(path: string): readonly string[] {
  const match = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/.exec(path);
  const count = Number(match?.[3] ?? 1);
  if (match === null || count < 1) return [path];
  const digits = (part: number) => String(part).padStart(5, "0");
  return Array.from(
    { length: count },
    (_, index) => `${match[1]}${digits(index + 1)}-of-${digits(count)}.gguf`,
  );
}

function cachedSnapshot(spec: HubSpec, cache: HubCache): string {
  const name = `hf:${spec.repository}@${spec.revision}`;
  const missing = (what: string) =>
    new SherryError("file_not_found", name, {
      expected: "a model in the cache, as HF_HUB_OFFLINE is set",
      received: what,
      next_step: "Unset HF_HUB_OFFLINE to fetch it, or check HF_HUB_CACHE",
    });
  const commit = cache.commitOf(spec.revision);
  if (commit === null) throw missing("none of that name and revision");
  const folder = cache.snapshot(commit);
  const has = (path: string) => existsSync(join(folder, path));
  const needed = spec.file === null ? [CONFIG] : [...ggufParts(spec.file)];
  if (spec.file === null && !has(SINGLE)) {
    if (!has(INDEX)) throw missing(`one without ${SINGLE}`);
    needed.push(...new Set(readShardIndex(folder).values()));
  }
  const absent = needed.find((path) => !has(path));
  if (absent !== undefined) throw missing(`one without ${excerpt(absent)}`);
  return folder;
}
