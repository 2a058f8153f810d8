/**
 * Whether the server takes new work, and which answers are still being computed: what a clean shutdown needs to know.
 * Three states: open; closing (new work is refused, what runs may finish); ended (what runs has been aborted).
 */
import { SherryError } from "../errors.ts";

export class Lifecycle {
  readonly #running = new Set<AbortController>();
  readonly #waiting_for_idle = new Set<() => void>();
  #closing = false;

  /** True once the server takes no new work. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Answers being computed now. */
  get running_count(): number {
    return this.#running.size;
  }

  /**
   * Registers an answer, whose controller `abortAll` may abort.
   * @returns what the caller calls when the answer has ended, however it ended; calling it twice is harmless.
   * @throws SherryError closed, when the server takes no new work.
   */
  begin(controller: AbortController): () => void {
    if (this.#closing) throw shuttingDown();
    this.#running.add(controller);
    return () => {
      this.#running.delete(controller);
      if (this.#running.size > 0) return;
      for (const wake of this.#waiting_for_idle) wake();
    };
  }

  /** From now on new work is refused. */
  beginClosing(): void {
    this.#closing = true;
  }

  /** Aborts every answer that is still being computed. */
  abortAll(): void {
    for (const controller of this.#running) controller.abort(shuttingDown());
  }

  /** @returns true once nothing runs, false when `deadline_ms` passed first. */
  async idleWithin(deadline_ms: number): Promise<boolean> {
    if (this.#running.size === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    this.#waiting_for_idle.add(wake);
    const timer = setTimeout(() => resolve(false), deadline_ms);
    const idle = await promise;
    clearTimeout(timer);
    this.#waiting_for_idle.delete(wake);
    return idle;
  }
}

function shuttingDown(): SherryError {
  return new SherryError("closed", "The server is shutting down", { next_step: "Try again shortly" });
}
