/** Hugging Face's environment variables. */
import { describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { join } from "node:path";
import { hubSettings } from "../../../src/packing/sources/hub-settings.ts";

describe("hubSettings", () => {
  test("defaults", () => {
    expect(hubSettings({})).toEqual({
      endpoint: "https://huggingface.co",
      token: null,
      is_offline: false,
      cache_folder: join(homedir(), ".cache", "huggingface", "hub"),
    });
  });

  test("the cache's folder, the most special variable first", () => {
    const folder = (environment: Record<string, string>) => hubSettings(environment).cache_folder;
    const all = { HF_HUB_CACHE: "/a", HUGGINGFACE_HUB_CACHE: "/b", HF_HOME: "/c", XDG_CACHE_HOME: "/d" };
    expect(folder(all)).toBe("/a");
    expect(folder({ ...all, HF_HUB_CACHE: "" })).toBe("/b");
    expect(folder({ HF_HOME: "/c", XDG_CACHE_HOME: "/d" })).toBe("/c/hub");
    expect(folder({ XDG_CACHE_HOME: "/d" })).toBe("/d/huggingface/hub");
  });

  test("endpoint, token and offline mode", () => {
    const settings = hubSettings({ HF_ENDPOINT: "http://127.0.0.1:1/hub//", HF_TOKEN: " hf_abc\n" });
    expect(settings).toMatchObject({ endpoint: "http://127.0.0.1:1/hub", token: "hf_abc" });
    for (const [text, expected] of [
      ["1", true],
      ["ON", true],
      ["yes", true],
      ["True", true],
      ["0", false],
      ["", false],
      ["false", false],
    ] as const) {
      expect(hubSettings({ HF_HUB_OFFLINE: text }).is_offline).toBe(expected);
    }
  });

  test("what is no address and no token is refused, and a token is never shown", () => {
    expect(() => hubSettings({ HF_ENDPOINT: "huggingface.co" })).toThrow(
      "HF_ENDPOINT: expected an address such as https://huggingface.co, received huggingface.co",
    );
    expect(() => hubSettings({ HF_ENDPOINT: "file:///etc" })).toThrow("HF_ENDPOINT: expected an address");
    expect(() => hubSettings({ HF_TOKEN: "my-secret" })).toThrow(
      "HF_TOKEN: expected a token that begins with hf_, received something else. Copy it again from your account's settings, or unset it for public models",
    );
  });
});
