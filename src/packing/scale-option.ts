/** The `--scale` option: how far one scale of a packed linear layer reaches. */
import { SherryError } from "../errors.ts";
import type { ScaleDescription } from "../format/directory.ts";

/** A granularity, without how the scale is stored. */
export type ScaleReach = Pick<ScaleDescription, "granularity" | "group_columns">;

/** "auto": what a tensor on the grid has, the coarsest that holds; groups of 128 for any other. */
export type ScaleOption = "auto" | ScaleReach;

const REACHES: ReadonlyMap<string, ScaleReach> = new Map([
  ["tensor", { granularity: "tensor", group_columns: 0 }],
  ["channel", { granularity: "channel", group_columns: 0 }],
  ["group:32", { granularity: "group", group_columns: 32 }],
  ["group:64", { granularity: "group", group_columns: 64 }],
  ["group:128", { granularity: "group", group_columns: 128 }],
  ["group:256", { granularity: "group", group_columns: 256 }],
]);

export const SCALE_REACH_TEXTS: readonly string[] = [...REACHES.keys()];
export const SCALE_OPTION_TEXTS: readonly string[] = ["auto", ...SCALE_REACH_TEXTS];

/** @throws SherryError argument_invalid */
export function parseScaleOption(text: string): ScaleOption {
  return text === "auto" ? text : reachOf(text, SCALE_OPTION_TEXTS);
}

/** @throws SherryError argument_invalid */
export function parseScaleReach(text: string): ScaleReach {
  return reachOf(text, SCALE_REACH_TEXTS);
}

function reachOf(text: string, texts: readonly string[]): ScaleReach {
  const reach = REACHES.get(text);
  if (reach !== undefined) return reach;
  throw new SherryError("argument_invalid", "scale", { expected: texts.join(", "), received: text });
}

/** The option as it is typed. */
export function scaleOptionText(option: ScaleOption): string {
  if (option === "auto") return option;
  return option.granularity === "group" ? `group:${option.group_columns}` : option.granularity;
}
