/** A folder that a test file fills and that is gone afterwards. */
import { afterAll } from "bun:test";
import { TemporaryFolder } from "./packing/checkpoint-folder.ts";

/** Call it at the top of a test file. The result gives paths inside the folder. */
export function temporaryFolder(): (name: string) => string {
  const folder = new TemporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  return (name) => folder.at(name);
}
