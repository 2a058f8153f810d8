/** Runs a command on a fake terminal. */
import { SherryError } from "../../src/errors.ts";
import { FakeTerminal } from "./fake-terminal.ts";

type Run = (
  argv: readonly string[],
  terminal: FakeTerminal,
  progress_columns: number | null,
) => Promise<number>;

/** What it wrote, and its exit code; for a refusal -1, with code and message as its errors. */
export async function attempt(
  run: Run,
  argv: readonly string[],
  progress_columns: number | null = null,
  terminal = new FakeTerminal(),
) {
  try {
    const exit_code = await run(argv, terminal, progress_columns);
    return { exit_code, output: terminal.output, errors: terminal.errors };
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    return { exit_code: -1, output: terminal.output, errors: `${error.code}: ${error.message}` };
  }
}
