/**
 * The process around a command: its three streams and its interrupts, as an interface that a test can stand in for.
 */
import { SherryError } from "../errors.ts";

export interface Terminal {
  /** To standard output. */
  write(text: string): void;
  /** To standard error. */
  writeError(text: string): void;
  /**
   * Standard input to its end; null when it is a keyboard, from which nothing is read.
   * @throws SherryError argument_invalid beyond INPUT_BYTES_MAX.
   */
  readInput(): Promise<string | null>;
  /**
   * Calls `onInterrupt` for the first SIGINT or SIGTERM; a second one ends the process at once.
   * @returns what stops the watching.
   */
  watchInterrupts(onInterrupt: () => void): () => void;
  /**
   * Calls `onClosed` when standard output has no reader any more (`| head`).
   * @returns what stops the watching.
   */
  watchOutput(onClosed: () => void): () => void;
}

/** The largest prompt that is read from standard input. */
export const INPUT_BYTES_MAX = 16 * 1024 * 1024;
/** What a shell reports for a process that SIGINT ended. */
export const INTERRUPTED_EXIT_CODE = 130;

export const PROCESS_TERMINAL: Terminal = {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  readInput: async () => (process.stdin.isTTY ? null : readLimited(Bun.stdin.stream())),
  watchInterrupts(onInterrupt) {
    let interrupt_count = 0;
    const interrupt = () => {
      interrupt_count += 1;
      if (interrupt_count > 1) process.exit(INTERRUPTED_EXIT_CODE);
      onInterrupt();
    };
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
    return () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    };
  },
  watchOutput(onClosed) {
    process.stdout.on("error", onClosed);
    return () => process.stdout.off("error", onClosed);
  },
};

async function readLimited(input: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size_bytes = 0;
  for await (const piece of input) {
    size_bytes += piece.length;
    if (size_bytes > INPUT_BYTES_MAX) {
      throw new SherryError("argument_invalid", "Standard input", {
        expected: `at most ${INPUT_BYTES_MAX} bytes`,
        received: "more",
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
