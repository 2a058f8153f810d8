/**
 * How a checkpoint is named on a command line: a folder or file on this machine, or `hf:owner/name[/file.gguf][@revision]`
 * on the Hugging Face hub. The revision comes last, because branch names may hold slashes.
 */
import { basename, resolve } from "node:path";
import { SherryError } from "../../errors.ts";
import { excerpt } from "../excerpt.ts";

export type SourceSpec =
  | { readonly kind: "local"; readonly path: string }
  | {
      readonly kind: "hub";
      /** "owner/name" */
      readonly repository: string;
      /** A branch, a tag or a commit. */
      readonly revision: string;
      /** A GGUF file's path in the repository; null: the repository's safetensors. */
      readonly file: string | null;
    };

const HUB_PREFIX = "hf:";
const DEFAULT_REVISION = "main";
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$/;
/** What git allows in a branch's name, less what would lead out of the cache's folder. */
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

/** @throws SherryError argument_invalid */
export function parseSource(text: string): SourceSpec {
  if (!text.startsWith(HUB_PREFIX)) return { kind: "local", path: text };
  const refuse = (summary: string, expected: string): never => {
    throw new SherryError("argument_invalid", summary, {
      expected,
      received: excerpt(text),
      next_step: "Write ./ in front of the name of a local file that begins with hf:",
    });
  };
  const body = text.slice(HUB_PREFIX.length);
  const at = body.indexOf("@");
  const names = (at < 0 ? body : body.slice(0, at)).split("/");
  const revision = at < 0 ? DEFAULT_REVISION : body.slice(at + 1);
  const [owner = "", name = "", ...path] = names;
  if (!names.every((part) => PLAIN_NAME.test(part)) || name === "") {
    refuse("a model on the hub", "hf:owner/name, hf:owner/name@revision or hf:owner/name/file.gguf");
  }
  if (!REVISION.test(revision) || revision.includes("..")) {
    refuse("the revision of a model on the hub", "a branch, a tag or a commit after the @");
  }
  if (path.length > 0 && !names.at(-1)?.endsWith(".gguf")) {
    refuse("a file on the hub", "the path of a .gguf file; safetensors are named by their repository alone");
  }
  return {
    kind: "hub",
    repository: `${owner}/${name}`,
    revision,
    file: path.length === 0 ? null : path.join("/"),
  };
}

/** A short name of what is there, for a file made from it: the folder's, the file's or the repository's own. */
export function sourceName(spec: SourceSpec): string {
  const path = spec.kind === "local" ? resolve(spec.path) : (spec.file ?? spec.repository);
  return basename(path).replace(/\.gguf$/, "");
}
