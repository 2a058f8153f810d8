/**
 * The few questions that are asked of the Hugging Face hub, through @huggingface/hub: which commit a revision is, which
 * files are there, and their bytes from an offset on. Passing failures are tried again a few times.
 */
import { SherryError } from "../../errors.ts";
import { describeValue } from "../excerpt.ts";
import { hubError, isPassing } from "./hub-errors.ts";
import type { HubSettings } from "./hub-settings.ts";

/** A file of one commit. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** What its content hashes to: SHA-256 of a large file's bytes, or git's SHA-1 of the blob. 64 or 40 hex digits. */
  readonly etag: string;
}

export interface HubOptions {
  readonly settings: HubSettings;
  readonly signal: AbortSignal | undefined;
  /** Before the second try; it doubles from try to try. */
  readonly retry_delay_ms: number;
  /** Without a byte for so long, a connection counts as broken. */
  readonly silence_ms: number;
}

/** What every call of the library takes. */
interface Access {
  readonly hubUrl: string;
  readonly fetch: typeof fetch;
  readonly accessToken?: string;
}

/** Tries without any progress before a passing failure counts as lasting. */
export const TRY_COUNT = 5;
/** Names that are looked at when a repository has to be described. */
const NAMES_MAX = 1_000;
const ETAG = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export class HubClient {
  readonly repository: string;
  readonly options: HubOptions;
  readonly #hub: typeof import("@huggingface/hub");

  private constructor(repository: string, options: HubOptions, hub: typeof import("@huggingface/hub")) {
    this.repository = repository;
    this.options = options;
    this.#hub = hub;
  }

  /** Loads the library, which nobody pays for who packs a local folder. */
  static async create(repository: string, options: HubOptions): Promise<HubClient> {
    return new HubClient(repository, options, await import("@huggingface/hub"));
  }

  /** @throws SherryError file_not_found | source_denied | source_unavailable */
  async commitOf(revision: string): Promise<string> {
    const what = `hf:${this.repository}@${revision}`;
    const { sha } = await this.#ask(what, (access) =>
      this.#hub.modelInfo<"sha">({ ...access, name: this.repository, revision, additionalFields: ["sha"] }),
    );
    if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
    throw this.#malformed(what, "a commit of 40 hexadecimal digits", sha);
  }

  /** Those of `paths` that the commit has. @throws SherryError source_denied | source_unavailable */
  async files(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, HubFile>> {
    const what = `hf:${this.repository}: the list of files`;
    const found = await this.#ask(what, (access) =>
      this.#hub.pathsInfo({ ...access, repo: this.#repo(), revision: commit, paths: [...paths] }),
    );
    const result = new Map<string, HubFile>();
    for (const { path, type, lfs, oid, size } of found) {
      if (type !== "file" || !paths.includes(path)) continue;
      const etag = lfs?.oid ?? oid;
      const bytes = lfs?.size ?? size;
      if (typeof etag !== "string" || !ETAG.test(etag))
        throw this.#malformed(what, "a checksum of each file", etag);
      if (!Number.isSafeInteger(bytes) || bytes < 0)
        throw this.#malformed(what, "a size of each file", bytes);
      result.set(path, { path, bytes, etag });
    }
    return result;
  }

  /** Names in the repository's first folder, for messages. @throws SherryError source_denied | source_unavailable */
  async names(commit: string): Promise<readonly string[]> {
    return this.#ask(`hf:${this.repository}: the list of files`, async (access) => {
      const names: string[] = [];
      for await (const { path } of this.#hub.listFiles({ ...access, repo: this.#repo(), revision: commit })) {
        names.push(path);
        if (names.length >= NAMES_MAX) break;
      }
      return names;
    });
  }

  /** A file's bytes from `offset` on. Fails as fetch and @huggingface/hub do. */
  async stream(
    commit: string,
    path: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const access = { ...this.#access(signal), repo: this.#repo(), revision: commit, path };
    // Plain HTTP with ranges, which the hub speaks for every file, rather than its chunk protocol (Xet): a break then
    // costs only what had not come yet, and memory stays at one buffer.
    const blob = await this.#hub.downloadFile({ ...access, xet: false });
    if (blob !== null) return blob.slice(offset).stream();
    throw new SherryError("file_not_found", `hf:${this.repository}: ${path}`, {
      expected: "a file of the commit",
      received: "no such file any more",
      next_step: "Run the command again",
    });
  }

  #repo() {
    return { type: "model", name: this.repository } as const;
  }

  #access(signal: AbortSignal): Access {
    const { endpoint, token } = this.options.settings;
    const fetchWithSignal = Object.assign(
      (input: Parameters<typeof fetch>[0], init?: RequestInit) => fetch(input, { ...init, signal }),
      { preconnect: fetch.preconnect },
    );
    return { hubUrl: endpoint, fetch: fetchWithSignal, ...(token === null ? {} : { accessToken: token }) };
  }

  async #ask<Answer>(what: string, question: (access: Access) => Promise<Answer>): Promise<Answer> {
    const { settings, signal, silence_ms } = this.options;
    for (let tried = 1; ; tried += 1) {
      try {
        const limit = AbortSignal.timeout(silence_ms);
        return await question(this.#access(signal === undefined ? limit : AbortSignal.any([signal, limit])));
      } catch (error) {
        signal?.throwIfAborted();
        if (tried >= TRY_COUNT || !isPassing(error)) throw hubError(error, what, settings);
        await this.pause(tried);
      }
    }
  }

  /** Waits before try `tried + 1`. @throws the signal's reason */
  async pause(tried: number): Promise<void> {
    const { signal, retry_delay_ms } = this.options;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, retry_delay_ms * 2 ** (tried - 1));
      const stop = () => {
        clearTimeout(timer);
        resolve();
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
    signal?.throwIfAborted();
  }

  #malformed(what: string, expected: string, received: unknown): SherryError {
    return new SherryError("source_unavailable", what, {
      expected,
      received: describeValue(received),
      next_step: `Check that HF_ENDPOINT (${this.options.settings.endpoint}) is a Hugging Face hub`,
    });
  }
}
