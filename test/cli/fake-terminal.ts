/** A terminal that keeps what is written, types what a test says, and interrupts when a test says so. */
import type { Terminal } from "../../src/cli/terminal.ts";

export class FakeTerminal implements Terminal {
  output = "";
  errors = "";
  /** Calls what the command registered for a signal. */
  interrupt: () => void = () => {};
  /** Calls what the command registered for a closed standard output. */
  closeOutput: () => void = () => {};
  watcher_count = 0;
  readonly #input: string | null;

  constructor(input: string | null = null) {
    this.#input = input;
  }

  write(text: string): void {
    this.output += text;
  }

  // A field, since commands hand it on by itself.
  readonly writeError = (text: string): void => {
    this.errors += text;
  };

  async readInput(): Promise<string | null> {
    return this.#input;
  }

  watchInterrupts(onInterrupt: () => void): () => void {
    this.interrupt = onInterrupt;
    return this.#watching();
  }

  watchOutput(onClosed: () => void): () => void {
    this.closeOutput = onClosed;
    return this.#watching();
  }

  #watching(): () => void {
    this.watcher_count += 1;
    return () => {
      this.watcher_count -= 1;
    };
  }
}
