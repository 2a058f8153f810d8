/**
 * The server's socket and its end: Bun.serve around the app, and a shutdown that lets running answers finish until a
 * deadline, then aborts them, then closes the socket and the model.
 */
import { SherryError } from "../errors.ts";
import type { Model } from "../generation/types.ts";
import { createApp, type ServerOptions } from "./app.ts";
import { Lifecycle } from "./lifecycle.ts";

export interface ListenOptions extends Omit<ServerOptions, "lifecycle"> {
  /** Default: 127.0.0.1, reachable from this machine alone. */
  readonly hostname?: string;
  /** 0 takes any free port. Default: 8080. */
  readonly port?: number;
  /** How long running answers may go on once a shutdown began. Default: 10 s. */
  readonly drain_ms?: number;
}

export interface RunningServer {
  /** Without a slash at its end, e.g. "http://127.0.0.1:8080". */
  readonly url: string;
  readonly port: number;
  /**
   * Refuses new work at once, waits for what runs, aborts what is left at the deadline, then closes the socket and the
   * model. Until then /health answers 503. A second call waits for the first.
   */
  shutdown(): Promise<void>;
}

export const HOSTNAME_DEFAULT = "127.0.0.1";
export const PORT_DEFAULT = 8080;
export const DRAIN_MS_DEFAULT = 10_000;
/** What aborted answers may take to say so to their clients. */
const FAREWELL_MS = 1000;

/**
 * @param model owned by the server from here on: `shutdown` closes it.
 * @throws SherryError argument_invalid, when the address cannot be listened on.
 */
export function startServer(model: Model, options: ListenOptions = {}): RunningServer {
  const lifecycle = new Lifecycle();
  const app = createApp(model, { ...options, lifecycle });
  const hostname = options.hostname ?? HOSTNAME_DEFAULT;
  const port = options.port ?? PORT_DEFAULT;
  const server = listen(hostname, port, (request, bun_server) => app.fetch(request, bun_server));
  const close = async () => {
    lifecycle.beginClosing();
    if (!(await lifecycle.idleWithin(options.drain_ms ?? DRAIN_MS_DEFAULT))) {
      lifecycle.abortAll();
      await lifecycle.idleWithin(FAREWELL_MS);
    }
    // Waits for replies that are still on their way; a client that does not take its reply is cut off.
    const cut_off = setTimeout(() => void server.stop(true), FAREWELL_MS);
    await server.stop();
    clearTimeout(cut_off);
    await model.close();
  };
  let closed: Promise<void> | null = null;
  return {
    url: server.url.origin,
    port: server.port ?? port,
    shutdown: () => {
      closed ??= close();
      return closed;
    },
  };
}

type Fetch = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

function listen(hostname: string, port: number, fetch: Fetch): Bun.Server<undefined> {
  try {
    return Bun.serve({ hostname, port, fetch });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new SherryError("argument_invalid", "The address to listen on", {
      expected: "one that is free and belongs to this machine",
      received: `${hostname}:${port} (${code})`,
      next_step: "Choose another with --port or --host",
      cause,
    });
  }
}
