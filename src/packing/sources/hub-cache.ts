/**
 * The cache on disk in the layout that Hugging Face's own tools share: blobs by checksum, snapshots of commits as links to
 * them, refs that say which commit a revision was. A blob takes its name when it is whole and its checksum is right.
 * Source: huggingface_hub, "Understand caching".
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { SherryError } from "../../errors.ts";
import type { HubFile } from "./hub-client.ts";

const COMMIT = /^[0-9a-f]{40}$/;

export class HubCache {
  readonly #folder: string;

  constructor(cache_folder: string, repository: string) {
    this.#folder = join(cache_folder, `models--${repository.replace("/", "--")}`);
  }

  snapshot(commit: string): string {
    return join(this.#folder, "snapshots", commit);
  }

  blob(file: HubFile): string {
    return join(this.#folder, "blobs", file.etag);
  }

  /** Where a blob grows; it stays for the next run when this one is interrupted. */
  partial(file: HubFile): string {
    return `${this.blob(file)}.incomplete`;
  }

  /** The commit that `revision` was when it was last fetched whole; null when it never was. */
  commitOf(revision: string): string | null {
    if (COMMIT.test(revision)) return existsSync(this.snapshot(revision)) ? revision : null;
    try {
      const commit = readFileSync(this.#ref(revision), "utf8").trim();
      return COMMIT.test(commit) ? commit : null;
    } catch {
      // No such ref, or a folder of refs: never fetched under this name.
      return null;
    }
  }

  /** @throws SherryError file_unwritable */
  rememberCommit(revision: string, commit: string): void {
    if (revision === commit) return;
    attempt(() => {
      const path = this.#ref(revision);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.${process.pid}`, commit);
      renameSync(`${path}.${process.pid}`, path);
    });
  }

  /** Whether the snapshot has the file, as long as the hub says it is. A file of another length is removed. */
  has(commit: string, file: HubFile): boolean {
    const path = join(this.snapshot(commit), file.path);
    return sizeOf(path) === file.bytes || this.#adoptBlob(commit, file);
  }

  /** Puts the whole partial file in the blob's place and links the snapshot to it. @throws SherryError file_unwritable */
  keep(commit: string, file: HubFile): void {
    attempt(() => {
      // Another process may have finished the same blob meanwhile.
      if (existsSync(this.partial(file))) renameSync(this.partial(file), this.blob(file));
      this.#link(commit, file);
    });
  }

  /** Makes the folder that blobs are in. @throws SherryError file_unwritable */
  prepare(): void {
    attempt(() => mkdirSync(join(this.#folder, "blobs"), { recursive: true }));
  }

  /** A blob that another commit has already, or that is of the wrong length. */
  #adoptBlob(commit: string, file: HubFile): boolean {
    const size = sizeOf(this.blob(file));
    if (size === null) return false;
    if (size !== file.bytes) {
      attempt(() => rmSync(this.blob(file), { force: true }));
      return false;
    }
    attempt(() => this.#link(commit, file));
    return true;
  }

  #link(commit: string, file: HubFile): void {
    const path = join(this.snapshot(commit), file.path);
    const fresh = `${path}.${process.pid}.partial`;
    mkdirSync(dirname(path), { recursive: true });
    rmSync(fresh, { force: true });
    try {
      symlinkSync(relative(dirname(path), this.blob(file)), fresh);
    } catch {
      // A file system without links.
      copyFileSync(this.blob(file), fresh);
    }
    renameSync(fresh, path);
  }

  #ref(revision: string): string {
    return join(this.#folder, "refs", revision);
  }
}

function sizeOf(path: string): number | null {
  try {
    const status = statSync(path);
    return status.isFile() ? status.size : null;
  } catch {
    // Not there, or not to be reached: as good as absent. Writing says what is wrong, when something is.
    return null;
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new SherryError("file_unwritable", "the cache of downloaded models", {
      expected: "a folder that can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      next_step: "Check the free space and the permissions, or name another folder in HF_HUB_CACHE",
      cause,
    });
  }
}
