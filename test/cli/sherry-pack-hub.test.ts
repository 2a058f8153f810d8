/** `sherry-pack hf:owner/name` from a local server that plays the hub: as a process, with a terminal, interrupted. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "../../src/cli/sherry-pack.ts";
import { makeScoringFolder, packAs } from "../generation/scoring-models.ts";
import { FakeHub } from "../packing/sources/fake-hub.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const pathOf = temporaryFolder();
/** Back to the line's beginning, and wipe it. */
const WIPE = "\r\x1b[K";
const SCRIPT = fileURLToPath(new URL("../../src/cli/sherry-pack.ts", import.meta.url));
const hub = new FakeHub({ isLarge: (path) => path.endsWith(".safetensors") });

beforeAll(async () => {
  await makeScoringFolder(pathOf("folder"));
  const files = readdirSync(pathOf("folder")).map((name) => [name, readFileSync(pathOf(`folder/${name}`))]);
  hub.add("owner/Some-Model", Object.fromEntries(files));
});
afterAll(() => hub.stop());

async function pack(...argv: string[]) {
  const child = Bun.spawn([process.execPath, SCRIPT, ...argv], {
    cwd: pathOf(""),
    env: { ...process.env, HF_ENDPOINT: hub.url, HF_HUB_CACHE: pathOf("cache"), HF_TOKEN: "" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exit_code: await child.exited, output, errors };
}

describe("sherry-pack from the hub", () => {
  test("gives the bytes that the folder gives, under the repository's name, and says what was typed", async () => {
    const { exit_code, output, errors } = await pack("hf:owner/Some-Model", "--json");
    expect([exit_code, errors]).toEqual([0, ""]);
    expect(JSON.parse(output)).toMatchObject({ input: "hf:owner/Some-Model", output: "Some-Model.sherry" });
    await packAs(pathOf("folder"), pathOf("local.sherry"), { linear: "sherry", embedding: "f16" });
    const packed = readFileSync(pathOf("Some-Model.sherry"));
    expect(packed.equals(readFileSync(pathOf("local.sherry")))).toBe(true);
  });

  test("a name that is not there is one line and exit code 1; a wrong name 2", async () => {
    const missing = await pack("hf:owner/none");
    expect([missing.exit_code, missing.output]).toEqual([1, ""]);
    expect(missing.errors).toStartWith(
      "error: hf:owner/none@main: expected a model, revision and file that the hub has",
    );
    expect(missing.errors).toEndWith(" (file_not_found)\n");
    expect((await pack("hf:owner")).exit_code).toBe(2);
  });

  test("progress of the download, and an interrupt during it", async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: pathOf("other-cache"), HF_TOKEN: "" });
    try {
      hub.fail("model.safetensors", { kind: "silence", bytes: 1_000 });
      const terminal = new FakeTerminal();
      const output = pathOf("interrupted.sherry");
      const work = run(["hf:owner/Some-Model", "-o", output], terminal, 80);
      setTimeout(() => terminal.interrupt(), 500);
      expect(await work).toBe(130);
      expect(terminal.errors.replaceAll(WIPE, "|")).toMatch(
        /\|\[[#-]{24}\] +\d+ % {2}\d\.\d\d MB {2}[\d.]+ MB\/s {2}model\.safetensors/,
      );
      expect(terminal.errors).toEndWith("\r\x1b[Kinterrupted; nothing was written\n");
      expect(existsSync(output)).toBe(false);
    } finally {
      for (const name of ["HF_ENDPOINT", "HF_HUB_CACHE", "HF_TOKEN"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
