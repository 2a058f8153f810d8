/**
 * Fetches one file into the cache: goes on where an earlier run stopped, survives broken transfers, and keeps only what
 * has the checksum that the hub names.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { SherryError } from "../../errors.ts";
import type { HubCache } from "./hub-cache.ts";
import { type HubClient, type HubFile, TRY_COUNT } from "./hub-client.ts";
import { hubError, isPassing } from "./hub-errors.ts";

const READ_BYTES = 8_388_608;

/** @param onBytes hears of the bytes that are there now, those of earlier runs included */
export async function download(
  client: HubClient,
  cache: HubCache,
  commit: string,
  file: HubFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  cache.prepare();
  const partial = new Partial(cache.partial(file), file);
  try {
    onBytes(partial.position);
    await fill(client, commit, file, partial, onBytes);
    partial.finish(`hf:${client.repository}: ${file.path}`);
  } finally {
    partial.close();
  }
  cache.keep(commit, file);
}

async function fill(
  client: HubClient,
  commit: string,
  file: HubFile,
  partial: Partial,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { signal, settings } = client.options;
  let tried = 0;
  while (partial.position < file.bytes) {
    signal?.throwIfAborted();
    const before = partial.position;
    try {
      await receive(client, commit, file, partial, onBytes);
      if (partial.position < file.bytes) {
        throw new Error(`the transfer ended after ${partial.position} of ${file.bytes} bytes`);
      }
    } catch (error) {
      signal?.throwIfAborted();
      tried = partial.position > before ? 1 : tried + 1;
      if (tried >= TRY_COUNT || !isPassing(error)) {
        throw hubError(error, `hf:${client.repository}: ${file.path}`, settings);
      }
      await client.pause(tried);
    }
  }
}

/** Takes what one connection gives. */
async function receive(
  client: HubClient,
  commit: string,
  file: HubFile,
  partial: Partial,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { signal, silence_ms } = client.options;
  const connection = new AbortController();
  const stop = () => connection.abort(signal?.reason);
  const breakOff = () => connection.abort(new Error(`no byte came for ${silence_ms / 1000} s`));
  signal?.addEventListener("abort", stop, { once: true });
  let timer = setTimeout(breakOff, silence_ms);
  try {
    const stream = await client.stream(commit, file.path, partial.position, connection.signal);
    const reader = stream.getReader();
    // The library does not pass every abort on to whoever reads; cancelling ends the wait in any case.
    connection.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
    while (true) {
      const { done, value } = await reader.read();
      connection.signal.throwIfAborted();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(breakOff, silence_ms);
      partial.append(value);
      onBytes(partial.position);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    connection.abort();
  }
}

/** The growing file and the checksum of what is in it. */
class Partial {
  position: number;
  readonly #path: string;
  readonly #file: HubFile;
  readonly #hasher: Bun.CryptoHasher;
  #descriptor: number | null;

  constructor(path: string, file: HubFile) {
    this.#path = path;
    this.#file = file;
    this.#descriptor = this.#attempt(() => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644));
    this.position = this.#attempt(() => fstatSync(this.#open()).size);
    if (this.position > file.bytes) this.position = 0;
    const is_git = file.etag.length === 40;
    this.#hasher = new Bun.CryptoHasher(is_git ? "sha1" : "sha256");
    // Git hashes a file together with its length.
    if (is_git) this.#hasher.update(`blob ${file.bytes}\0`);
    this.#hashBeginning();
  }

  /** @throws SherryError source_unavailable when more comes than the hub announced; file_unwritable */
  append(bytes: Uint8Array): void {
    if (bytes.length > this.#file.bytes - this.position) {
      throw new SherryError("source_unavailable", this.#file.path, {
        expected: `${this.#file.bytes} bytes, as the hub announced`,
        received: "more",
        next_step: "Check that HF_ENDPOINT is a Hugging Face hub, and run the command again",
      });
    }
    this.#attempt(() => {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(this.#open(), bytes, done, bytes.length - done, this.position + done);
      }
    });
    this.#hasher.update(bytes);
    this.position += bytes.length;
  }

  /** Flushes a whole file with the right checksum; a wrong one is removed. @throws SherryError checkpoint_invalid */
  finish(what: string): void {
    const found = this.#hasher.digest("hex");
    if (found !== this.#file.etag) {
      this.close();
      rmSync(this.#path, { force: true });
      throw new SherryError("checkpoint_invalid", what, {
        expected: `the checksum ${this.#file.etag}`,
        received: found,
        next_step: "What came was damaged and was removed; run the command again",
      });
    }
    this.#attempt(() => {
      ftruncateSync(this.#open(), this.#file.bytes);
      fsyncSync(this.#open());
    });
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #hashBeginning(): void {
    const buffer = new Uint8Array(Math.min(READ_BYTES, this.position));
    for (let done = 0; done < this.position; ) {
      const count = this.#attempt(() =>
        readSync(this.#open(), buffer, 0, Math.min(buffer.length, this.position - done), done),
      );
      if (count === 0) throw new RangeError("the partial file became shorter while it was read");
      this.#hasher.update(buffer.subarray(0, count));
      done += count;
    }
  }

  #open(): number {
    if (this.#descriptor === null) throw new SherryError("closed", this.#path);
    return this.#descriptor;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof SherryError) throw cause;
      throw new SherryError("file_unwritable", this.#path, {
        expected: "a place where a file can be written",
        received: cause instanceof Error ? cause.message : String(cause),
        next_step: "Check the free space and the permissions, or name another folder in HF_HUB_CACHE",
        cause,
      });
    }
  }
}
