/**
 * The rotary part of a checkpoint's config.json. Older files have rope_theta and rope_scaling, newer ones
 * rope_parameters with the base inside; both may spell the kind "type" or "rope_type". Sources: transformers,
 * modeling_rope_utils.py, and HunYuanDenseV1RotaryEmbedding for "dynamic" with an alpha.
 */
import type { Architecture, RopeScaling } from "../format/directory.ts";
import { rotaryBase } from "../format/rotary-base.ts";
import { TENSOR_DIMENSION_MAX } from "../limits.ts";
import { Fields } from "./checkpoint-fields.ts";
import { describeValue } from "./excerpt.ts";
import { isJsonObject } from "./json-text.ts";

/** What all three families take when the file names no base. */
const DEFAULT_ROPE_THETA = 10_000;

export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

interface RopeForm {
  readonly theta: number | undefined;
  readonly scaling: RopeScaling | null;
}

/** @throws SherryError checkpoint_unsupported | checkpoint_invalid */
export function parseRope(fields: Fields, architecture: Architecture, head_dim: number): Rope {
  const theta = fields.number("rope_theta", "a number above 0", (value) => value > 0);
  const forms = ["rope_scaling", "rope_parameters"].flatMap((name) => {
    const value = fields.value(name);
    if (value === undefined) return [];
    if (!isJsonObject(value)) throw fields.invalid(name, "an object or null");
    return [parseRopeForm(new Fields(`config.json: ${name}`, value), architecture)];
  });
  const thetas = [theta, ...forms.map((form) => form.theta)].filter((value) => value !== undefined);
  if (new Set(thetas).size > 1) {
    throw fields.unsupported("rope_theta", `one rotary base in the file, not ${thetas.join(" and ")}`);
  }
  const [first, second] = forms.map((form) => form.scaling);
  if (second !== undefined && JSON.stringify(first) !== JSON.stringify(second)) {
    throw fields.unsupported("rope_scaling", "the same scaling as rope_parameters has");
  }
  const rope = { theta: thetas[0] ?? DEFAULT_ROPE_THETA, scaling: first ?? null };
  const base = rotaryBase({ head_dim, rope_theta: rope.theta, rope_scaling: rope.scaling });
  if (Number.isFinite(base) && base > 0) return rope;
  const name = fields.value("rope_scaling") === undefined ? "rope_parameters" : "rope_scaling";
  throw fields.invalid(name, `an alpha whose rotary base is finite and above 0 at head_dim ${head_dim}`);
}

const LLAMA3_FIELDS = ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"];
/** Fields of a "dynamic" with an alpha that say nothing when they are 1, and some that never say anything there. */
const NEUTRAL_DYNAMIC_FIELDS = ["factor", "mscale", "mscale_all_dim"];
const UNUSED_DYNAMIC_FIELDS = ["beta_fast", "beta_slow"];

function parseRopeForm(fields: Fields, architecture: Architecture): RopeForm {
  const theta = fields.number("rope_theta", "a number above 0", (value) => value > 0);
  const type = ropeType(fields);
  switch (type) {
    case "default":
      refuseUnknown(fields, type, []);
      return { theta, scaling: null };
    case "linear":
      refuseUnknown(fields, type, ["factor"]);
      return { theta, scaling: { type, factor: fields.requiredPositive("factor") } };
    case "llama3":
      refuseUnknown(fields, type, LLAMA3_FIELDS);
      return { theta, scaling: parseLlama3(fields) };
    case "dynamic":
      if (architecture === "hunyuan_v1_dense") return { theta, scaling: parseDynamicAlpha(fields) };
  }
  const names = ['"default"', '"linear"', '"llama3"'];
  if (architecture === "hunyuan_v1_dense") names.push('"dynamic" with an alpha');
  throw fields.unsupported(
    fields.value("rope_type") === undefined ? "type" : "rope_type",
    names.join(", "),
    "This way of stretching rotary positions cannot be computed yet",
  );
}

/** A form without a type is transformers' "default"; one with two has to agree with itself. */
function ropeType(fields: Fields): string {
  const type = fields.text("rope_type");
  const older = fields.text("type");
  if (type !== undefined && older !== undefined && type !== older) {
    throw fields.invalid("type", `the same as rope_type (${describeValue(type)})`);
  }
  return type ?? older ?? "default";
}

function refuseUnknown(fields: Fields, type: string, type_fields: readonly string[]): void {
  const known = ["rope_type", "type", "rope_theta", ...type_fields];
  const unknown = fields.names().find((name) => !known.includes(name));
  if (unknown !== undefined) throw fields.unsupported(unknown, `no such field for "${type}"`);
}

function parseLlama3(fields: Fields): RopeScaling {
  const low_freq_factor = fields.requiredPositive("low_freq_factor");
  const high_freq_factor = fields.requiredPositive("high_freq_factor");
  if (high_freq_factor <= low_freq_factor) {
    throw fields.invalid(
      "high_freq_factor",
      `a number above low_freq_factor (${describeValue(low_freq_factor)})`,
    );
  }
  return {
    type: "llama3",
    factor: fields.requiredPositive("factor"),
    low_freq_factor,
    high_freq_factor,
    original_max_position_embeddings: fields.requiredInteger(
      "original_max_position_embeddings",
      1,
      TENSOR_DIMENSION_MAX,
    ),
  };
}

function parseDynamicAlpha(fields: Fields): RopeScaling {
  refuseUnknown(fields, "dynamic", ["alpha", ...NEUTRAL_DYNAMIC_FIELDS, ...UNUSED_DYNAMIC_FIELDS]);
  if (fields.value("alpha") === undefined) {
    throw fields.unsupported("alpha", "a number: a base that grows with the sequence cannot be computed yet");
  }
  for (const name of NEUTRAL_DYNAMIC_FIELDS) {
    const value = fields.value(name);
    if (value !== undefined && value !== 1) throw fields.unsupported(name, "1 beside an alpha");
  }
  return { type: "dynamic_alpha", alpha: fields.requiredPositive("alpha") };
}
