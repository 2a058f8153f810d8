/** Models in several files: found, joined, and refused when a part is missing or another model's. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import { refusal } from "../../format/refusal.ts";
import { inTemporaryFolder } from "../../format/sample-file.ts";
import { DAMAGED, fileBytes, kv } from "./gguf-bytes.ts";

/** Part `number` (from 0) with one tensor of that name. */
function part(number: number, count: number, tensor: string, total: number): Uint8Array {
  return fileBytes({
    metadata: [
      kv.u16("split.no", number),
      kv.u16("split.count", count),
      kv.i32("split.tensors.count", total),
      ...(number === 0 ? [kv.text("general.architecture", "llama")] : []),
    ],
    tensors: [{ name: tensor, dimensions: [1], type_id: 0, offset: 0 }],
    data: [0, 0, 128, 63, ...new Uint8Array(28)],
  });
}

const nameOf = (number: number, count = 3) => `m-0000${number}-of-0000${count}.gguf`;

/** Writes the parts under their names, opens the first and gives the refusal, or the tensors' names. */
async function open(parts: Readonly<Record<string, Uint8Array>>, first = nameOf(1)): Promise<unknown> {
  let result: unknown;
  await inTemporaryFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(parts)) writeFileSync(join(folder, name), bytes);
    const run = () => {
      const file = openGguf(join(folder, first));
      const tensors = [...file.tensors.values()];
      const values = tensors.map((tensor) => {
        const bytes = tensor.source.read(tensor.offset, tensor.bytes);
        return new DataView(bytes.buffer).getFloat32(0, true);
      });
      file.close();
      return {
        names: tensors.map((tensor) => tensor.name),
        values,
        architecture: file.metadata.text("general.architecture"),
      };
    };
    try {
      result = run();
    } catch {
      const { code, message } = refusal(run);
      result = { code, message: message.replaceAll(`${folder}/`, "") };
    }
  });
  return result;
}

const SOUND = {
  [nameOf(1)]: part(0, 3, "a", 3),
  [nameOf(2)]: part(1, 3, "b", 3),
  [nameOf(3)]: part(2, 3, "c", 3),
};

describe("split models", () => {
  test("three files are one model", async () => {
    expect(await open(SOUND)).toEqual({ names: ["a", "b", "c"], values: [1, 1, 1], architecture: "llama" });
  });

  test("a split of one file needs no name", async () => {
    expect(await open({ "m.gguf": part(0, 1, "a", 1) }, "m.gguf")).toMatchObject({ names: ["a"] });
  });

  test("a missing part", async () => {
    const { [nameOf(2)]: _, ...rest } = SOUND;
    expect(await open(rest)).toEqual({
      code: "file_not_found",
      message: `${nameOf(2)}: expected part 2 of 3 beside the first one, received no such file. Download all parts into one folder`,
    });
  });

  test("another part than the first", async () => {
    expect(await open(SOUND, nameOf(2))).toEqual({
      code: "checkpoint_invalid",
      message: `${nameOf(2)}: expected the first of 3 files, received the one with split.no 1. Name ${nameOf(1)}`,
    });
  });

  test("a first part under another name", async () => {
    expect(await open({ "m.gguf": part(0, 3, "a", 3) }, "m.gguf")).toEqual({
      code: "checkpoint_invalid",
      message: `m.gguf: expected the name NAME-00001-of-00003.gguf, as split.count says, received another name. ${DAMAGED}`,
    });
    expect(await open({ [nameOf(1, 2)]: part(0, 3, "a", 3) }, nameOf(1, 2))).toMatchObject({
      code: "checkpoint_invalid",
    });
  });

  test("a part that belongs elsewhere", async () => {
    expect(await open({ ...SOUND, [nameOf(2)]: part(2, 3, "b", 3) })).toEqual({
      code: "checkpoint_invalid",
      message: `${nameOf(2)}: expected split.no 1 and split.count 3, received 2 and 3. ${DAMAGED}`,
    });
  });

  test("a tensor in two parts, and a count that is not met", async () => {
    expect(await open({ ...SOUND, [nameOf(3)]: part(2, 3, "a", 3) })).toEqual({
      code: "checkpoint_invalid",
      message: `${nameOf(3)}: tensor a: expected each tensor once, received it twice. ${DAMAGED}`,
    });
    expect(await open({ ...SOUND, [nameOf(1)]: part(0, 3, "a", 4) })).toEqual({
      code: "checkpoint_invalid",
      message: `${nameOf(1)}: split.tensors.count: expected 3, the tensors of all parts, received 4. ${DAMAGED}`,
    });
  });

  test("a damaged part keeps its own refusal", async () => {
    const bytes = SOUND[nameOf(2)] ?? new Uint8Array(0);
    expect(await open({ ...SOUND, [nameOf(2)]: bytes.slice(0, 40) })).toMatchObject({
      code: "checkpoint_invalid",
    });
  });
});
