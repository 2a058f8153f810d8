/** Starts `command-with-fake-model.ts` and follows what it writes. */
import { fileURLToPath } from "node:url";
import type { FakeModelOptions } from "../server/fake-model.ts";

const SCRIPT = fileURLToPath(new URL("command-with-fake-model.ts", import.meta.url));

export function spawnCommand(
  name: "serve" | "generate",
  model_options: FakeModelOptions,
  argv: readonly string[],
  input = "",
) {
  const child = Bun.spawn([process.execPath, SCRIPT, name, JSON.stringify(model_options), ...argv], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const seen = { output: "", errors: "" };
  const output = collect(child.stdout, (text) => {
    seen.output += text;
  });
  const errors = collect(child.stderr, (text) => {
    seen.errors += text;
  });
  return {
    child,
    seen,
    /** The exit code, once everything it wrote has been read. */
    ended: Promise.all([child.exited, output, errors]).then(([exit_code]) => exit_code),
  };
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of stream) take(decoder.decode(piece, { stream: true }));
}
