/** `sherry verify`: exit codes, both forms of the report, the progress line, and what it refuses. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../src/cli/verify.ts";
import { memorySource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { inTemporaryFolder, packSample } from "../format/sample-file.ts";

const FILE = await packSample();
const TENSORS = readPackedFile(memorySource(FILE)).directory.tensors;

interface Outcome {
  readonly exit_code: number;
  readonly printed: string;
  readonly shown: string;
}

async function verify(
  file: Uint8Array,
  options: readonly string[] = [],
  is_terminal = false,
): Promise<Outcome> {
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, "model.sherry");
    writeFileSync(path, file);
    let printed = "";
    let shown = "";
    const print = (text: string) => {
      printed += text;
    };
    const terminal = {
      isTTY: is_terminal,
      write(text: string) {
        shown += text;
      },
    };
    const exit_code = await run([path, ...options], print, terminal);
    return { exit_code, printed: printed.replaceAll(path, "FILE"), shown };
  });
}

/** Two tensors with a bit flipped in each. */
function spoilt(): Uint8Array {
  const copy = Uint8Array.from(FILE);
  for (const { offset } of TENSORS.slice(0, 2)) copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

test("a good file: exit code 0 and one line", async () => {
  const bytes = FILE.length.toLocaleString("en-US");
  expect(await verify(FILE)).toEqual({
    exit_code: 0,
    printed: `FILE: good (${TENSORS.length} tensors, ${bytes} bytes)\n`,
    shown: "",
  });
  const { printed, exit_code } = await verify(FILE, ["--json"]);
  expect(exit_code).toBe(0);
  expect(JSON.parse(printed)).toEqual({
    path: "FILE",
    problems: [],
    tensors_checked: TENSORS.length,
    bytes_checked: FILE.length,
  });
});

test("problems: exit code 1, each with its code and tensor", async () => {
  const { exit_code, printed } = await verify(spoilt());
  expect(exit_code).toBe(1);
  const lines = printed.split("\n");
  expect(lines.slice(0, 2)).toEqual(
    TENSORS.slice(0, 2).map(
      ({ name }) => `checksum_mismatch: ${name}: its bytes are not those that were packed (SHA-256 differs)`,
    ),
  );
  expect(lines[2]).toStartWith(`FILE: 2 problems (${TENSORS.length} tensors, `);
  const json = await verify(spoilt(), ["--json"]);
  expect(json.exit_code).toBe(1);
  expect(JSON.parse(json.printed).problems.map(({ code }: { code: string }) => code)).toEqual([
    "checksum_mismatch",
    "checksum_mismatch",
  ]);
});

test("a file that is no model is a problem of the file", async () => {
  const { exit_code, printed } = await verify(FILE.subarray(0, 1000));
  expect(exit_code).toBe(1);
  expect(printed).toStartWith("format_invalid: the file: the file's size: expected ");
  expect(printed).toEndWith("\nFILE: 1 problem (0 tensors, 0 bytes)\n");
});

test("progress goes to a terminal only, and its line is wiped", async () => {
  const { shown, printed } = await verify(FILE, [], true);
  expect(shown).toContain(`\rchecking 100 % of ${FILE.length.toLocaleString("en-US")} bytes`);
  expect(shown).toEndWith("\r\x1b[K");
  expect(printed).toStartWith("FILE: good");
});

test("--help, and what is refused", async () => {
  let printed = "";
  const print = (text: string) => {
    printed += text;
  };
  expect(await run(["--help"], print)).toBe(0);
  expect(printed).toContain("Usage: sherry verify FILE [options]");
  expect(await asyncRefusal(() => run(["a", "b"], print))).toEqual({
    code: "argument_invalid",
    message: "sherry verify: expected FILE, received a b. Run 'sherry verify --help' for the options",
  });
  const missing = await asyncRefusal(() => run(["there/is/no/such.sherry"], print));
  expect(missing).toEqual({
    code: "file_not_found",
    message:
      "there/is/no/such.sherry: expected a file that can be read, received no such file. Check the path",
  });
});
