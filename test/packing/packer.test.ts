/** The packer as a whole: options that do not go together, interruption, killed processes, memory, determinism. */
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import type { PackOptions, PackProgress } from "../../src/packing/pack-options.ts";
import { PACKER_VERSION } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { TemporaryFolder, writeFolder } from "./checkpoint-folder.ts";
import { writeHollowFolder } from "./hollow-folder.ts";

const OPTIONS = { linear: "sherry", embedding: "f16", head: null, scale: "auto", label: null } as const;
const PACK_COMMAND = new URL("../../src/cli/sherry-pack.ts", import.meta.url).pathname;

describe("options that do not go together", () => {
  const refusalOf = async (options: Partial<PackOptions>) => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"));
    const refused = await asyncRefusal(() =>
      packCheckpoint({ ...OPTIONS, input, output: place.at("out.sherry"), ...options }),
    );
    expect(readdirSync(place.path)).toEqual(["model"]);
    return refused;
  };

  test("a scale without sherry tensors", async () => {
    expect(await refusalOf({ linear: "q8", scale: { granularity: "group", group_columns: 64 } })).toEqual({
      code: "argument_invalid",
      message:
        "scale with linear q8: expected auto: only sherry tensors have a choice of scales, received group:64. " +
        "Leave --scale out, or pack with --linear sherry",
    });
  });

  test("a kind for the head of a model without one", async () => {
    expect(await refusalOf({ head: "q8" })).toEqual({
      code: "argument_invalid",
      message:
        "head: expected nothing: this model's head is its embedding, received q8. Choose the kind with --embedding",
    });
  });

  test("a label that cannot be printed is refused before anything is packed", async () => {
    const { code, message } = await refusalOf({ label: "two\nlines" });
    expect(code).toBe("argument_invalid");
    expect(message).toStartWith("the directory's label");
  });

  test("a target in a folder that is not there", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"));
    const refused = await asyncRefusal(() =>
      packCheckpoint({ ...OPTIONS, input, output: place.at("absent", "out.sherry") }),
    );
    expect(refused.code).toBe("file_unwritable");
  });
});

describe("the file", () => {
  test("same input, same bytes; an older target is replaced; the directory says how it was made", async () => {
    using place = new TemporaryFolder();
    const files = { "generation_config.json": { do_sample: true, temperature: 0.6, top_p: 0.9 } };
    const input = writeFolder(place.at("model"), { files });
    writeFileSync(place.at("b.sherry"), "an older file");
    const label = "a test's label";
    for (const name of ["a.sherry", "b.sherry"]) {
      await packCheckpoint({ ...OPTIONS, input, output: place.at(name), label });
    }
    expect(readFileSync(place.at("a.sherry")).equals(readFileSync(place.at("b.sherry")))).toBe(true);
    expect(readdirSync(place.path).toSorted()).toEqual(["a.sherry", "b.sherry", "model"]);
    const source = openFileSource(place.at("a.sherry"));
    const { directory } = readPackedFile(source);
    source.close();
    expect(directory).toMatchObject({
      label,
      generation: {
        do_sample: true,
        temperature: 0.6,
        top_k: null,
        top_p: 0.9,
        min_p: null,
        repetition_penalty: null,
      },
      tokenizer: null,
      provenance: {
        packer: "sherry-pack",
        packer_version: PACKER_VERSION,
        linear: "sherry",
        embedding: "f16",
        scale: "auto",
      },
    });
  });

  test("a dry run writes nothing and says the same", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"));
    const dry = await packCheckpoint({ ...OPTIONS, input, output: null });
    expect(readdirSync(place.path)).toEqual(["model"]);
    const wet = await packCheckpoint({ ...OPTIONS, input, output: place.at("out.sherry") });
    expect(dry).toEqual({ ...wet, output: null, file_bytes: null, seconds: dry.seconds });
    expect(wet.file_bytes).toBe(readFileSync(place.at("out.sherry")).length);
  });
});

describe("interruption", () => {
  test("an aborted signal stops the work and leaves nothing", async () => {
    using place = new TemporaryFolder();
    const { folder } = writeHollowFolder(place.at("model"), 1);
    const controller = new AbortController();
    const reason = new Error("enough");
    const progress: PackProgress[] = [];
    const packing = packCheckpoint({
      ...OPTIONS,
      input: folder,
      output: place.at("out.sherry"),
      signal: controller.signal,
      on_progress: (step) => {
        progress.push(step);
        controller.abort(reason);
      },
    });
    expect(await packing.catch((error) => error)).toBe(reason);
    expect(progress).toHaveLength(1);
    expect(progress[0]?.weights_done).toBeLessThan(progress[0]?.weights_total ?? 0);
    expect(readdirSync(place.path)).toEqual(["model"]);
  });

  test("kill -9 in the middle leaves the old file whole, and no stray file that looks like a model", async () => {
    using place = new TemporaryFolder();
    const { folder } = writeHollowFolder(place.at("model"), 2);
    const target = place.at("out.sherry");
    await packCheckpoint({ ...OPTIONS, input: writeFolder(place.at("tiny")), output: target });
    const before = readFileSync(target);
    const child = Bun.spawn([process.execPath, PACK_COMMAND, folder, "-o", target], {
      stdout: "ignore",
      stderr: "ignore",
    });
    const partial = `${target}.${child.pid}.partial`;
    const deadline = performance.now() + 10_000;
    // Killed once it has written a good part: by then it is in the midst of the tensors.
    while (performance.now() < deadline && !(existsSync(partial) && Bun.file(partial).size > 4_000_000))
      await Bun.sleep(5);
    child.kill("SIGKILL");
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    expect(readFileSync(target).equals(before)).toBe(true);
    const source = openFileSource(partial);
    expect(source.bytes).toBeGreaterThan(4_000_000);
    expect(() => readPackedFile(source)).toThrow();
    source.close();
    // The next run with the same target clears up.
    await packCheckpoint({ ...OPTIONS, input: place.at("tiny"), output: target });
    expect(readdirSync(place.path).toSorted()).toEqual(["model", "out.sherry", "tiny"]);
  }, 20_000);
});

describe("memory", () => {
  test.each([false, true])(
    "stays far below the checkpoint's size (projecting: %p)",
    async (off_grid) => {
      using place = new TemporaryFolder();
      const { folder, bytes } = writeHollowFolder(place.at("model"), 2, off_grid);
      const target = place.at("out.sherry");
      // The kernel counts the parent's memory into a child's maxRSS, so the child reads its own high-water mark.
      const program = `
        const { run } = await import(${JSON.stringify(PACK_COMMAND)});
        const exit_code = await run(${JSON.stringify([folder, "-o", target, "--json"])});
        const status = await Bun.file("/proc/self/status").text();
        console.error("\\nkilobytes:" + /VmHWM:\\s+(\\d+)/.exec(status)[1]);
        process.exit(exit_code);`;
      const child = Bun.spawn([process.execPath, "-e", program], { stdout: "ignore", stderr: "pipe" });
      const said = await child.stderr.text();
      expect(await child.exited).toBe(0);
      expect(bytes).toBeGreaterThan(270_000_000);
      // Bun alone takes 35 MB; what it has freed but not yet given back varies.
      expect(Number(/kilobytes:(\d+)/.exec(said)?.[1]) * 1024).toBeLessThan(140_000_000);
      const source = openFileSource(target);
      expect(verifyPackedFile(source).problems).toEqual([]);
      source.close();
    },
    20_000,
  );
});

describe("a checkpoint that is cut while it is packed", () => {
  test("ends in a typed error", async () => {
    using place = new TemporaryFolder();
    const { folder } = writeHollowFolder(place.at("model"), 1);
    const cut = () => {
      const descriptor = openSync(`${folder}/model.safetensors`, "r+");
      ftruncateSync(descriptor, 1_000_000);
      closeSync(descriptor);
    };
    const { code } = await asyncRefusal(() =>
      packCheckpoint({ ...OPTIONS, input: folder, output: place.at("out.sherry"), on_progress: cut }),
    );
    expect(code).toBe("format_invalid");
    expect(readdirSync(place.path)).toEqual(["model"]);
  });
});

describe("progress", () => {
  test("ends near the whole, and never goes back", async () => {
    using place = new TemporaryFolder();
    const { folder } = writeHollowFolder(place.at("model"), 1);
    const steps: PackProgress[] = [];
    await packCheckpoint({
      ...OPTIONS,
      input: folder,
      output: null,
      on_progress: (step) => steps.push(step),
    });
    const done = steps.map((step) => step.weights_done);
    expect(done).toEqual(done.toSorted((left, right) => left - right));
    expect(done.at(-1)).toBeGreaterThan(0);
    expect(done.at(-1)).toBeLessThanOrEqual(steps[0]?.weights_total ?? 0);
  });
});
