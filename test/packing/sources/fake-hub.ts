/**
 * A local server that plays the Hugging Face hub as far as @huggingface/hub asks: revisions, lists of files, ranges of
 * files. It fails when told to, in the ways that hubs and networks fail.
 */
import { createHash } from "node:crypto";

export type Fault =
  | { readonly kind: "status"; readonly status: number }
  /** Sends so many bytes of what was asked for and breaks the connection. */
  | { readonly kind: "cut"; readonly bytes: number }
  /** Sends so many bytes of what was asked for and ends as if that were all. */
  | { readonly kind: "short"; readonly bytes: number }
  /** Sends so many bytes and then nothing more. */
  | { readonly kind: "silence"; readonly bytes: number }
  /** Sends other bytes of the same length. */
  | { readonly kind: "damage" };

interface Repository {
  readonly commit: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface FakeHubOptions {
  /** Files kept as large files, with SHA-256; others as git blobs. */
  readonly isLarge?: (path: string) => boolean;
  /** Without it, everything is public. */
  readonly token?: string;
}

const ROUTES = {
  info: /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/,
  paths: /^\/api\/models\/([^/]+\/[^/]+)\/paths-info\/([^/]+)$/,
  tree: /^\/api\/models\/([^/]+\/[^/]+)\/tree\/([^/]+)$/,
  resolve: /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/,
};

export class FakeHub {
  readonly url: string;
  /** "METHOD path" of every request, and "METHOD path first-last" of those with a range. */
  readonly requests: string[] = [];
  /** Applied to requests whose "METHOD path" contains the key, first come first served. Probes of one byte are spared. */
  readonly faults = new Map<string, Fault[]>();
  readonly #server: ReturnType<typeof Bun.serve>;
  readonly #repositories = new Map<string, Repository>();
  readonly #options: FakeHubOptions;

  constructor(options: FakeHubOptions = {}) {
    this.#options = options;
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: (request) => this.#answer(request),
    });
    this.url = `http://127.0.0.1:${this.#server.port}`;
  }

  /** @returns the commit */
  add(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
    const encoded = Object.entries(files).map(
      ([path, content]) =>
        [path, typeof content === "string" ? new TextEncoder().encode(content) : content] as const,
    );
    const commit = createHash("sha1")
      .update(JSON.stringify([name, ...encoded.map(([path, bytes]) => [path, gitHash(bytes)])]))
      .digest("hex");
    this.#repositories.set(name, { commit, files: new Map(encoded) });
    return commit;
  }

  fail(where: string, ...faults: Fault[]): void {
    this.faults.set(where, faults);
  }

  /** Requests for content of a file, probes apart. */
  transfers(path: string): string[] {
    return this.requests.filter((request) => request.includes(`/${path}`) && !request.endsWith(" 0-0"));
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = decodeURIComponent(pathname);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    this.requests.push(`${request.method} ${path}${range === null ? "" : ` ${range[1]}-${range[2]}`}`);
    const fault = range?.[0] === "bytes=0-0" ? undefined : this.#takeFault(`${request.method} ${path}`);
    if (fault?.kind === "status") return Response.json({ error: "told to fail" }, { status: fault.status });
    const { token } = this.#options;
    if (token !== undefined && request.headers.get("authorization") !== `Bearer ${token}`) {
      return Response.json({ error: "Invalid username or password." }, { status: 401 });
    }
    const match = Object.entries(ROUTES).flatMap(([kind, route]) => {
      const found = route.exec(pathname);
      return found === null
        ? []
        : [{ kind, name: found[1] ?? "", revision: found[2] ?? "", file: found[3] ?? "" }];
    })[0];
    const repository = match === undefined ? undefined : this.#repositories.get(match.name);
    if (match === undefined || repository === undefined) return notFound("Repository not found");
    if (!["main", repository.commit, "refs/pr/1"].includes(decodeURIComponent(match.revision))) {
      return notFound("Revision not found");
    }
    switch (match.kind) {
      case "info":
        return Response.json({ _id: "1", id: match.name, sha: repository.commit, lastModified: 0 });
      case "paths": {
        const { paths } = (await request.json()) as { paths: string[] };
        return Response.json(paths.flatMap((wanted) => this.#entry(repository, wanted)));
      }
      case "tree":
        return Response.json([...repository.files.keys()].flatMap((name) => this.#entry(repository, name)));
      default:
        if (this.#isOfferedAsChunks(request, match.file)) return this.#chunkOffer(repository, match.file);
        return this.#content(repository, decodeURIComponent(match.file), range, fault);
    }
  }

  /** As the hub does for large files when a client says that it knows its chunk protocol. */
  #isOfferedAsChunks(request: Request, path: string): boolean {
    const accepts = request.headers.get("accept")?.includes("application/vnd.xet-fileinfo+json") === true;
    return accepts && this.#options.isLarge?.(path) === true;
  }

  #chunkOffer(repository: Repository, path: string): Response {
    const content = repository.files.get(path);
    if (content === undefined) return notFound("Entry not found");
    const link = (rel: string) => `<${this.url}/nowhere/${rel}>; rel="${rel}"`;
    const headers = {
      "Content-Type": "application/vnd.xet-fileinfo+json",
      "X-Linked-Size": String(content.length),
      "X-Linked-ETag": `"${createHash("sha256").update(content).digest("hex")}"`,
      "X-Xet-Hash": "0".repeat(64),
      Link: `${link("xet-auth")}, ${link("xet-reconstruction-info")}`,
    };
    return new Response("{}", { headers });
  }

  #takeFault(request: string): Fault | undefined {
    for (const [where, faults] of this.faults) if (request.includes(where)) return faults.shift();
    return undefined;
  }

  #entry(repository: Repository, path: string): object[] {
    const bytes = repository.files.get(path);
    if (bytes === undefined) return [];
    const entry = { type: "file", path, size: bytes.length, oid: gitHash(bytes) };
    if (this.#options.isLarge?.(path) !== true) return [entry];
    const oid = createHash("sha256").update(bytes).digest("hex");
    return [{ ...entry, lfs: { oid, size: bytes.length, pointerSize: 130 } }];
  }

  #content(
    repository: Repository,
    path: string,
    range: RegExpExecArray | null,
    fault: Fault | undefined,
  ): Response {
    const content = repository.files.get(path);
    if (content === undefined) return notFound("Entry not found");
    const first = Number(range?.[1] ?? 0);
    const last = Math.min(Number(range?.[2] ?? content.length - 1), content.length - 1);
    const piece = content.slice(first, last + 1);
    const headers = {
      ETag: `"${gitHash(content)}"`,
      "Content-Length": String(piece.length),
      ...(range === null ? {} : { "Content-Range": `bytes ${first}-${last}/${content.length}` }),
    };
    const status = range === null ? 200 : 206;
    if (fault?.kind === "damage") return new Response(piece.fill(0), { status, headers });
    if (fault === undefined || fault.kind === "status") return new Response(piece, { status, headers });
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(piece.subarray(0, fault.bytes));
        await Bun.sleep(20);
        // Without a reason, so that the server does not print one.
        if (fault.kind === "cut") controller.error();
        if (fault.kind === "short") controller.close();
      },
    });
    return new Response(stream, { status, headers });
  }
}

function notFound(error: string): Response {
  const code = error.split(" ")[0] === "Entry" ? "EntryNotFound" : "RepoNotFound";
  return Response.json({ error }, { status: 404, headers: { "X-Error-Code": code } });
}

/** What git calls a file's content. */
export function gitHash(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
