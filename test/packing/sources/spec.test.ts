/** How sources are written, and what is refused before anything is looked for. */
import { describe, expect, test } from "bun:test";
import { SherryError } from "../../../src/errors.ts";
import { parseSource, sourceName } from "../../../src/packing/sources/spec.ts";

function refusal(text: string): string {
  try {
    parseSource(text);
  } catch (error) {
    if (error instanceof SherryError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing";
}

describe("parseSource", () => {
  test("paths, repositories, revisions and files", () => {
    expect(parseSource("./a/b")).toEqual({ kind: "local", path: "./a/b" });
    const hub = { kind: "hub", repository: "owner/name-1.5_b", revision: "main", file: null } as const;
    expect(parseSource("hf:owner/name-1.5_b")).toEqual(hub);
    expect(parseSource("hf:owner/name-1.5_b@v1.0")).toEqual({ ...hub, revision: "v1.0" });
    expect(parseSource("hf:owner/name-1.5_b@refs/pr/1")).toEqual({ ...hub, revision: "refs/pr/1" });
    expect(parseSource("hf:owner/name-1.5_b/q/m.gguf@a/b")).toEqual({
      ...hub,
      revision: "a/b",
      file: "q/m.gguf",
    });
  });

  test("names for what is made of them", () => {
    const name = (text: string) => sourceName(parseSource(text));
    expect([name("a/b/"), name("a/m.gguf"), name("hf:o/n@x"), name("hf:o/n/q/m.gguf")]).toEqual([
      "b",
      "m",
      "n",
      "m",
    ]);
  });

  test("what no hub has, or what would lead out of the cache, is refused", () => {
    const hint = "Write ./ in front of the name of a local file that begins with hf:";
    for (const text of [
      "hf:",
      "hf:name",
      "hf:/name",
      "hf:owner/",
      "hf:owner/../x",
      "hf:owner/na me",
      "hf:.a/b",
    ]) {
      expect(refusal(text)).toBe(
        `argument_invalid: a model on the hub: expected hf:owner/name, hf:owner/name@revision or hf:owner/name/file.gguf, received ${text}. ${hint}`,
      );
    }
    for (const revision of ["", "../x", "a..b", "/a", "a/", "a//b", "-x", "a\\b", "a/.b"]) {
      expect(refusal(`hf:o/n@${revision}`)).toBe(
        `argument_invalid: the revision of a model on the hub: expected a branch, a tag or a commit after the @, received hf:o/n@${revision}. ${hint}`,
      );
    }
    expect(refusal("hf:o/n/model.safetensors")).toBe(
      `argument_invalid: a file on the hub: expected the path of a .gguf file; safetensors are named by their repository alone, received hf:o/n/model.safetensors. ${hint}`,
    );
  });
});
