/** The writer's promises: the target is whole or untouched, whatever goes wrong, and misuse is refused by name. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openFileSource } from "../../src/format/byte-source.ts";
import type { ModelConfig } from "../../src/format/directory.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { PackedFileWriter } from "../../src/format/writer.ts";
import { asyncRefusal, refusal } from "./refusal.ts";
import {
  addSample,
  CONFIG,
  CONTENTS,
  denseTensor,
  inTemporaryFolder,
  packSample,
  sampleTensors,
} from "./sample-file.ts";

const TENSOR = denseTensor("a", [100], "f32", 1);
/** What a partial file is written in: of less nothing is to be seen yet. */
const PIECE_BYTES = 2 << 20;

/** A target that held something before, and a check that this is still there, alone. */
async function withOldTarget(work: (target: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const target = join(folder, "model.sherry");
    writeFileSync(target, "the old file");
    await work(target);
    expect(readFileSync(target, "utf8")).toBe("the old file");
    expect(readdirSync(folder)).toEqual(["model.sherry"]);
  });
}

test("the target changes in one step, at finish; the partial file never looks like a model", async () => {
  await inTemporaryFolder(async (folder) => {
    const target = join(folder, "model.sherry");
    const partial = `${target}.${process.pid}.partial`;
    const writer = PackedFileWriter.create(target);
    await addSample(writer, denseTensor("large", [1_000_000], "f32", 1));
    expect(readdirSync(folder)).toEqual([`model.sherry.${process.pid}.partial`]);
    const written = readFileSync(partial);
    expect(written.length).toBeGreaterThan(PIECE_BYTES - 1);
    expect(written.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    expect(written.subarray(128).some((byte) => byte !== 0)).toBe(true);
    const { file_bytes } = await writer.finish(CONTENTS);
    expect(readdirSync(folder)).toEqual(["model.sherry"]);
    const source = openFileSource(target);
    expect(readPackedFile(source).file_bytes).toBe(file_bytes);
    source.close();
    writer.abort();
    expect(existsSync(target)).toBe(true);
  });
});

test("addTensor returns the entry that the directory will hold", async () => {
  await inTemporaryFolder(async (folder) => {
    const writer = PackedFileWriter.create(join(folder, "model.sherry"));
    expect(await addSample(writer, TENSOR)).toEqual({
      name: "a",
      kind: "f32",
      shape: [100],
      offset: 128,
      bytes: 400,
      sha256: new Bun.CryptoHasher("sha256").update(TENSOR.content).digest("hex"),
      scale: null,
      column_order: null,
    });
    writer.abort();
  });
});

test("abort leaves the old target and nothing else", async () => {
  await withOldTarget(async (target) => {
    const writer = PackedFileWriter.create(target);
    await addSample(writer, TENSOR);
    writer.abort();
    writer.abort();
    expect(await asyncRefusal(() => writer.finish(CONTENTS))).toEqual({
      code: "argument_invalid",
      message:
        "the writer: expected one call at a time, and none after finish, abort or an error, received a call after its end",
    });
  });
});

test("too few bytes, too many, and a source that fails", async () => {
  await withOldTarget(async (target) => {
    const few = PackedFileWriter.create(target);
    expect(await asyncRefusal(() => few.addTensor(TENSOR, (sink) => sink(new Uint8Array(396))))).toEqual({
      code: "argument_invalid",
      message: "the bytes of tensor a: expected 400 for f32 [100], received 396",
    });
    const many = PackedFileWriter.create(target);
    const write = (sink: (bytes: Uint8Array) => void) => {
      sink(new Uint8Array(400));
      sink(new Uint8Array(1));
    };
    expect(await asyncRefusal(() => many.addTensor(TENSOR, write))).toEqual({
      code: "argument_invalid",
      message: "the bytes of tensor a: expected 400 for f32 [100], received at least 401",
    });
    const failing = PackedFileWriter.create(target);
    const reason = new Error("the checkpoint ended");
    const failure = await failing.addTensor(TENSOR, () => Promise.reject(reason)).catch((error) => error);
    expect(failure).toBe(reason);
    expect((await asyncRefusal(() => failing.finish(CONTENTS))).message).toContain("after its end");
  });
});

test("names twice, impossible shapes", async () => {
  await withOldTarget(async (target) => {
    const twice = PackedFileWriter.create(target);
    await addSample(twice, TENSOR);
    expect(await asyncRefusal(() => addSample(twice, TENSOR))).toEqual({
      code: "argument_invalid",
      message: "tensor names: expected each name once, received a",
    });
    const odd = PackedFileWriter.create(target);
    const scale = { granularity: "tensor", group_columns: 0, element: "f32" } as const;
    const six = { name: "b", kind: "sherry", shape: [1, 6], scale, column_order: "natural" } as const;
    expect((await asyncRefusal(() => odd.addTensor(six, () => {}))).message).toBe(
      "columns of a sherry tensor: expected a multiple of 4, received 6",
    );
  });
});

test("one call at a time, and an abort in the middle of one", async () => {
  await withOldTarget(async (target) => {
    const writer = PackedFileWriter.create(target);
    const { promise, resolve: proceed } = Promise.withResolvers<void>();
    const adding = asyncRefusal(() =>
      writer.addTensor(TENSOR, async (sink) => {
        await promise;
        sink(TENSOR.content);
      }),
    );
    expect((await asyncRefusal(() => addSample(writer, TENSOR))).message).toContain(
      "a call during another one",
    );
    writer.abort();
    proceed();
    expect(await adding).toEqual({
      code: "closed",
      message: `writing ${target}: received a file that was closed`,
    });
  });
});

const WRONG_CONFIGS: [Partial<ModelConfig>, string][] = [
  [{ hidden_size: 0 }, "the directory's config.hidden_size: expected >=1, received 0"],
  [{ head_dim: 7 }, "config.head_dim: expected an even number, for rotary pairs, received 7"],
  [
    { num_key_value_heads: 3 },
    "config.num_attention_heads: expected a multiple of num_key_value_heads (3), received 8",
  ],
  [{ rope_theta: Number.NaN }, "the directory's config.rope_theta: expected number, received null"],
];

test.each(WRONG_CONFIGS)("finish refuses what the reader would refuse: %p", async (change, message) => {
  await withOldTarget(async (target) => {
    const writer = PackedFileWriter.create(target);
    const config = { ...CONFIG, ...change };
    expect(await asyncRefusal(() => writer.finish({ ...CONTENTS, config }))).toEqual({
      code: "argument_invalid",
      message,
    });
  });
});

test("finish refuses an empty tokenizer", async () => {
  await withOldTarget(async (target) => {
    const writer = PackedFileWriter.create(target);
    expect(await asyncRefusal(() => writer.finish({ ...CONTENTS, tokenizer: new Uint8Array(0) }))).toEqual({
      code: "argument_invalid",
      message: "the tokenizer: expected 1 to 268435456 bytes, received 0 bytes",
    });
  });
});

test("targets that cannot be written", async () => {
  await inTemporaryFolder(async (folder) => {
    const missing = join(folder, "missing", "model.sherry");
    const { code, message } = refusal(() => PackedFileWriter.create(missing));
    expect(code).toBe("file_unwritable");
    expect(message).toContain(`${missing}: expected a place where a file can be written, received ENOENT`);
    expect(message).toEndWith("Check that the folder exists, its permissions and the free space");
    mkdirSync(join(folder, "target"));
    expect(refusal(() => PackedFileWriter.create(join(folder, "target")))).toEqual({
      code: "file_unwritable",
      message: `${join(folder, "target")}: expected a file's path, received a folder`,
    });
    const twice = join(folder, "twice.sherry");
    const writer = PackedFileWriter.create(twice);
    expect(refusal(() => PackedFileWriter.create(join(folder, ".", "twice.sherry")))).toEqual({
      code: "file_unwritable",
      message:
        `${twice}: expected one writer at a time, received a second one in this process. ` +
        "Wait for the first, or choose another target",
    });
    writer.abort();
  });
});

test("leftovers of dead processes go, those of living ones and other files stay", async () => {
  await inTemporaryFolder(async (folder) => {
    const dead = Bun.spawnSync(["true"]).pid;
    const names = {
      dead: `model.sherry.${dead}.partial`,
      own: `model.sherry.${process.pid}.partial`,
      living: `model.sherry.${process.ppid}.partial`,
      other_target: `other.sherry.${dead}.partial`,
      unlike: "model.sherry.x1.partial",
    };
    for (const name of Object.values(names)) writeFileSync(join(folder, name), "");
    const writer = PackedFileWriter.create(join(folder, "model.sherry"));
    writer.abort();
    expect(readdirSync(folder).sort()).toEqual([names.living, names.other_target, names.unlike].sort());
  });
});

test("a writer that is killed leaves the old target, and a file that is no model", async () => {
  await inTemporaryFolder(async (folder) => {
    const target = join(folder, "model.sherry");
    writeFileSync(target, await packSample());
    const script = `
      import { PackedFileWriter } from ${JSON.stringify(resolve(import.meta.dir, "../../src/format/writer.ts"))};
      const writer = PackedFileWriter.create(${JSON.stringify(target)});
      const description = { name: "a", kind: "f32", shape: [1_000_000], scale: null, column_order: null };
      await writer.addTensor(description, (sink) => {
        sink(new Uint8Array(3_000_000).fill(1));
        process.kill(process.pid, "SIGKILL");
      });`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "inherit", stderr: "inherit" });
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    expect(readdirSync(folder).sort()).toEqual(["model.sherry", `model.sherry.${child.pid}.partial`]);
    const whole = openFileSource(target);
    expect(readPackedFile(whole).directory.tensors.length).toBe(sampleTensors().length);
    whole.close();
    const partial = openFileSource(`${target}.${child.pid}.partial`);
    expect(partial.bytes).toBeGreaterThan(PIECE_BYTES - 1);
    expect(refusal(() => readPackedFile(partial)).message).toContain("the magic of a .sherry file");
    partial.close();
    const writer = PackedFileWriter.create(target);
    await writer.finish(CONTENTS);
    expect(readdirSync(folder)).toEqual(["model.sherry"]);
  });
});
