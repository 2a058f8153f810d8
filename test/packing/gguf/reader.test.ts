/** A model opened by its path. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import { refusal } from "../../format/refusal.ts";
import { inTemporaryFolder } from "../../format/sample-file.ts";
import { fileBytes, SOUND } from "./gguf-bytes.ts";

test("opens from a path, and closes twice", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "m.gguf");
    writeFileSync(path, fileBytes(SOUND));
    const file = openGguf(path);
    expect([...file.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(file.metadata.texts("tokens")).toEqual(["x", "", "\u00e9\u{1f600}"]);
    file.close();
    file.close();
    expect(refusal(() => file.metadata.texts("tokens")).code).toBe("closed");
    expect(refusal(() => openGguf(join(folder, "none.gguf"))).code).toBe("file_not_found");
  });
});
