/**
 * `sherry verify`: reads every byte of a packed file and prints what is wrong with it. The exit code is 1 when anything
 * is, 0 otherwise.
 */
import { openFileSource } from "../format/byte-source.ts";
import { type Verification, type VerifyProgress, verifyPackedFile } from "../format/verify.ts";
import { type CommandDescription, helpText, parseCommand } from "./arguments.ts";

export const description: CommandDescription = {
  name: "sherry verify",
  summary: "Check every byte of a packed model: checksums, ranges, padding, finite numbers",
  positionals: [{ name: "FILE", description: "A .sherry file" }],
  options: { json: { type: "boolean", description: "Print one JSON object instead of lines" } },
  examples: ["sherry verify model.sherry"],
};

/** @returns the exit code: 1 when there are problems. @throws SherryError when the file cannot be read at all. */
export async function run(
  argv: readonly string[],
  print: (text: string) => void = (text) => process.stdout.write(text),
  terminal: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr,
): Promise<number> {
  const { help, positionals, values } = parseCommand(description, argv);
  if (help) {
    print(helpText(description));
    return 0;
  }
  const [path = ""] = positionals;
  const source = openFileSource(path);
  try {
    const is_terminal = terminal.isTTY === true;
    const verification = verifyPackedFile(source, is_terminal ? progressLine(terminal) : undefined);
    // The progress line is wiped, so that the report starts on a clean one.
    if (is_terminal) terminal.write("\r\x1b[K");
    const json = values.get("json") === true;
    print(json ? `${JSON.stringify({ path, ...verification }, null, 2)}\n` : textReport(path, verification));
    return verification.problems.length === 0 ? 0 : 1;
  } finally {
    source.close();
  }
}

function progressLine(terminal: { write(text: string): unknown }): VerifyProgress {
  let shown = -1;
  return ({ bytes_checked, file_bytes }) => {
    const percent = Math.floor((bytes_checked / file_bytes) * 100);
    if (percent === shown) return;
    shown = percent;
    terminal.write(`\rchecking ${percent} % of ${file_bytes.toLocaleString("en-US")} bytes`);
  };
}

function textReport(path: string, { problems, tensors_checked, bytes_checked }: Verification): string {
  const lines = problems.map(({ code, tensor, message }) => `${code}: ${tensor ?? "the file"}: ${message}`);
  const checked = `${tensors_checked} tensors, ${bytes_checked.toLocaleString("en-US")} bytes`;
  const verdict =
    problems.length === 0 ? "good" : problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${[...lines, `${path}: ${verdict} (${checked})`].join("\n")}\n`;
}
