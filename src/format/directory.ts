/**
 * The directory of a packed file: canonical JSON in, typed data out and back. Canonical means that equal data gives
 * equal bytes (fixed key order, no spaces, numbers and strings as ECMAScript's JSON.stringify writes them), so that the
 * same model always packs to the same file.
 */
import * as v from "valibot";
import { type ErrorCode, SherryError } from "../errors.ts";
import { DIRECTORY_BYTES_MAX } from "../limits.ts";
import { ARCHITECTURES, QUERY_KEY_NORM_OF } from "./architectures.ts";
import { type Directory, directory_schema, type RopeScaling, type TensorEntry } from "./directory-schema.ts";
import { checkJsonSize } from "./json-size.ts";
import { rotaryBase } from "./rotary-base.ts";

export type { Architecture, QueryKeyNorm } from "./architectures.ts";
export type { ColumnOrder } from "./column-order.ts";
export type {
  Directory,
  GenerationDefaults,
  ModelConfig,
  Provenance,
  RopeScaling,
  Section,
  TensorEntry,
} from "./directory-schema.ts";
export type {
  FloatElement,
  Granularity,
  ScaleDescription,
  TensorDescription,
  TensorKind,
  TensorShape,
} from "./layout.ts";

/**
 * The directory's bytes; a pure function of the data, whatever the key order of the objects passed in.
 * Only `tokenizer_config` keeps its own key order.
 */
export function encodeDirectory(directory: Directory): Uint8Array {
  const { label, config, generation, tokenizer, tokenizer_config, chat_template, provenance } = directory;
  const canonical = {
    label,
    config: {
      architecture: config.architecture,
      hidden_size: config.hidden_size,
      intermediate_size: config.intermediate_size,
      num_hidden_layers: config.num_hidden_layers,
      num_attention_heads: config.num_attention_heads,
      num_key_value_heads: config.num_key_value_heads,
      head_dim: config.head_dim,
      max_position_embeddings: config.max_position_embeddings,
      vocab_size: config.vocab_size,
      rms_norm_eps: config.rms_norm_eps,
      query_key_norm: config.query_key_norm,
      rope_theta: config.rope_theta,
      rope_scaling: config.rope_scaling === null ? null : canonicalRopeScaling(config.rope_scaling),
      tie_word_embeddings: config.tie_word_embeddings,
      bos_token_id: config.bos_token_id,
      eos_token_ids: config.eos_token_ids,
    },
    generation: {
      do_sample: generation.do_sample,
      temperature: generation.temperature,
      top_k: generation.top_k,
      top_p: generation.top_p,
      min_p: generation.min_p,
      repetition_penalty: generation.repetition_penalty,
    },
    tokenizer:
      tokenizer === null
        ? null
        : { offset: tokenizer.offset, bytes: tokenizer.bytes, sha256: tokenizer.sha256 },
    tokenizer_config,
    chat_template,
    provenance: {
      packer: provenance.packer,
      packer_version: provenance.packer_version,
      linear: provenance.linear,
      embedding: provenance.embedding,
      scale: provenance.scale,
    },
    tensors: directory.tensors.map(canonicalTensor),
  };
  return new TextEncoder().encode(JSON.stringify(canonical));
}

/**
 * Reads a directory. Ranges are not looked at here: reader.ts knows the file they must lie in.
 * @throws SherryError `code` (format_invalid unless told otherwise) when the bytes are not UTF-8, not JSON, not of the
 *   schema, too large or too deep, not canonical, or name an invalid model shape; format_unsupported for an architecture
 *   that this version does not know.
 */
export function parseDirectory(bytes: Uint8Array, code: ErrorCode = "format_invalid"): Directory {
  if (bytes.length > DIRECTORY_BYTES_MAX) {
    throw new SherryError(code, "the directory", {
      expected: `at most ${DIRECTORY_BYTES_MAX} bytes`,
      received: `${bytes.length} bytes`,
    });
  }
  checkJsonSize(bytes, code);
  const value = parseJson(bytes, code);
  const result = v.safeParse(directory_schema, value, { abortEarly: true });
  if (!result.success) throw schemaError(result.issues[0], value, code);
  const directory = result.output;
  checkConfig(directory, code);
  // One model has one directory: this also refuses duplicate keys, which JSON.parse would quietly resolve.
  if (!sameBytes(encodeDirectory(directory), bytes)) {
    throw new SherryError(code, "the directory's JSON", {
      expected: "the canonical form (fixed key order, no spaces, no key twice)",
      received: "another spelling of the same data",
    });
  }
  return directory;
}

function canonicalRopeScaling(scaling: RopeScaling): RopeScaling {
  if (scaling.type === "linear") return { type: scaling.type, factor: scaling.factor };
  if (scaling.type === "dynamic_alpha") return { type: scaling.type, alpha: scaling.alpha };
  return {
    type: scaling.type,
    factor: scaling.factor,
    low_freq_factor: scaling.low_freq_factor,
    high_freq_factor: scaling.high_freq_factor,
    original_max_position_embeddings: scaling.original_max_position_embeddings,
  };
}

function canonicalTensor(tensor: TensorEntry): TensorEntry {
  const { name, kind, shape, offset, bytes, sha256, scale, column_order } = tensor;
  return {
    name,
    kind,
    shape,
    offset,
    bytes,
    sha256,
    scale:
      scale === null
        ? null
        : { granularity: scale.granularity, group_columns: scale.group_columns, element: scale.element },
    column_order,
  };
}

function parseJson(bytes: Uint8Array, code: ErrorCode): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new SherryError(code, "the directory", {
      expected: "JSON in UTF-8",
      received: "other bytes",
      cause,
    });
  }
}

function schemaError(issue: v.BaseIssue<unknown>, value: unknown, code: ErrorCode): SherryError {
  const path = v.getDotPath(issue);
  const summary = path === null ? "the directory" : `the directory's ${excerpt(path)}`;
  const architecture = path === "config.architecture" && typeof issue.input === "string";
  if (architecture && typeof value === "object") {
    return new SherryError("format_unsupported", "the model's architecture", {
      expected: ARCHITECTURES.join(", "),
      received: excerpt(String(issue.input)),
      next_step: "A newer version of this package may read the file",
    });
  }
  return new SherryError(code, summary, describeIssue(issue));
}

function describeIssue(issue: v.BaseIssue<unknown>): { expected: string; received: string } {
  if (issue.expected === "never") return { expected: "no such key", received: "one" };
  if (issue.type === "strict_object" && issue.received === "undefined") {
    return { expected: "this key", received: "none" };
  }
  const own_words = issue.type === "check" || issue.type === "custom";
  const expected = own_words ? issue.message : (issue.expected ?? issue.message);
  return { expected, received: excerpt(issue.received) };
}

function checkConfig({ config }: Directory, code: ErrorCode): void {
  if (config.num_attention_heads % config.num_key_value_heads !== 0) {
    throw new SherryError(code, "config.num_attention_heads", {
      expected: `a multiple of num_key_value_heads (${config.num_key_value_heads})`,
      received: String(config.num_attention_heads),
    });
  }
  if (config.head_dim % 2 !== 0) {
    throw new SherryError(code, "config.head_dim", {
      expected: "an even number, for rotary pairs",
      received: String(config.head_dim),
    });
  }
  if (config.query_key_norm !== QUERY_KEY_NORM_OF[config.architecture]) {
    throw new SherryError(code, "config.query_key_norm", {
      expected: `${QUERY_KEY_NORM_OF[config.architecture]}, as ${config.architecture} has it`,
      received: config.query_key_norm,
    });
  }
  const base = rotaryBase(config);
  if (!Number.isFinite(base) || base <= 0) {
    throw new SherryError(code, "config.rope_scaling.alpha", {
      expected: `a number whose rotary base is finite and above 0 at head_dim ${config.head_dim}`,
      received: config.rope_scaling?.type === "dynamic_alpha" ? String(config.rope_scaling.alpha) : "none",
    });
  }
}

/** What a hostile file says, made short and safe to print. */
function excerpt(text: string): string {
  const safe = text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
  return text.length > 80 ? `${safe}...` : safe;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0;
}
