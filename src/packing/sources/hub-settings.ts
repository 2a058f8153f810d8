/**
 * How the hub is reached, from the environment variables that Hugging Face's own tools take: HF_ENDPOINT, HF_TOKEN,
 * HF_HUB_OFFLINE, and HF_HUB_CACHE or HF_HOME for the cache's folder.
 * Source: huggingface_hub, "Environment variables".
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { SherryError } from "../../errors.ts";

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
  /** Nothing is fetched: what is not in the cache is refused. */
  readonly is_offline: boolean;
  readonly cache_folder: string;
}

const DEFAULT_ENDPOINT = "https://huggingface.co";

/** @throws SherryError argument_invalid, never showing the token */
export function hubSettings(environment: Readonly<Record<string, string | undefined>>): HubSettings {
  const given = (name: string) => environment[name] || undefined;
  const home = given("HF_HOME") ?? join(given("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
  return {
    endpoint: checkEndpoint(given("HF_ENDPOINT") ?? DEFAULT_ENDPOINT),
    token: checkToken(given("HF_TOKEN")?.trim() || null),
    is_offline: /^(?:1|on|yes|true)$/i.test(given("HF_HUB_OFFLINE") ?? ""),
    cache_folder: given("HF_HUB_CACHE") ?? given("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
  };
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return text.replace(/\/+$/, "");
  throw new SherryError("argument_invalid", "HF_ENDPOINT", {
    expected: `an address such as ${DEFAULT_ENDPOINT}`,
    received: text,
  });
}

function checkToken(token: string | null): string | null {
  if (token === null || /^hf_[\x21-\x7e]+$/.test(token)) return token;
  throw new SherryError("argument_invalid", "HF_TOKEN", {
    expected: "a token that begins with hf_",
    received: "something else",
    next_step: "Copy it again from your account's settings, or unset it for public models",
  });
}
