/** One line on a terminal's standard error, redrawn in place while a long work goes on, and wiped when it ends. */
import type { Terminal } from "./terminal.ts";

const BAR_COLUMNS = 24;

export interface ProgressBar {
  /** @param share done, 0 to 1. @param text what follows the bar, cut to the terminal's width */
  draw(share: number, text: string): void;
  clear(): void;
}

/** @param columns how wide the terminal is; null when there is none, and then nothing is drawn */
export function progressBar(terminal: Pick<Terminal, "writeError">, columns: number | null): ProgressBar {
  if (columns === null) return { draw: () => {}, clear: () => {} };
  return {
    draw(share, text) {
      const full = Math.round(share * BAR_COLUMNS);
      const bar = "#".repeat(full) + "-".repeat(BAR_COLUMNS - full);
      const line = `[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${text}`;
      terminal.writeError(`\r\x1b[K${line.slice(0, columns - 1)}`);
    },
    clear: () => terminal.writeError("\r\x1b[K"),
  };
}

/** The width of the terminal behind standard error; null when that is no terminal. */
export function errorColumns(): number | null {
  return process.stderr.isTTY ? process.stderr.columns : null;
}
