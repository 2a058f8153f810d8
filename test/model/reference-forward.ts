/**
 * The three families' forward pass once more, plainly and in float64, written from the architecture table and
 * transformers' modeling files and from nothing in src/: what the runtime's logits are held against. It reads the fields
 * of a Hugging Face config.json itself.
 */

/** The fields of config.json that this pass reads. */
export interface ReferenceConfig {
  readonly model_type: "llama" | "qwen3" | "hunyuan_v1_dense";
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
  readonly rope_theta?: number;
  readonly rope_scaling?: Readonly<Record<string, unknown>> | null;
  readonly rope_parameters?: Readonly<Record<string, unknown>>;
}

export interface ReferenceModel {
  readonly config: ReferenceConfig;
  /** A tensor's elements, row after row. */
  weight(name: string): Float32Array;
  /** Whether the product with this weight takes its input as int8, one scale per 256 columns. */
  readsInt8(name: string): boolean;
  /** What the cache makes of a head of a key or value. */
  keep(head: Float64Array): Float64Array;
}

/** The logits after every one of `ids`, each f64 [vocab_size]. */
export function referenceLogits(model: ReferenceModel, ids: readonly number[]): Float64Array[] {
  const { config } = model;
  const { hidden_size, rms_norm_eps } = config;
  const embedding = model.weight("model.embed_tokens.weight");
  const stream = ids.map((id) =>
    Float64Array.from(embedding.subarray(id * hidden_size, (id + 1) * hidden_size)),
  );
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    const attended = attention(
      model,
      `${prefix}.self_attn`,
      stream.map((x) => rmsNorm(x, model.weight(`${prefix}.input_layernorm.weight`), rms_norm_eps)),
    );
    addTo(stream, attended);
    const normed = stream.map((x) =>
      rmsNorm(x, model.weight(`${prefix}.post_attention_layernorm.weight`), rms_norm_eps),
    );
    addTo(
      stream,
      normed.map((x) => feedForward(model, `${prefix}.mlp`, x)),
    );
  }
  const head = config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return stream.map((x) => product(model, head, rmsNorm(x, model.weight("model.norm.weight"), rms_norm_eps)));
}

function addTo(stream: readonly Float64Array[], delta: readonly Float64Array[]): void {
  for (const [token, x] of stream.entries()) {
    for (let index = 0; index < x.length; index += 1) x[index] = at(x, index) + at(delta[token], index);
  }
}

function attention(model: ReferenceModel, prefix: string, inputs: readonly Float64Array[]): Float64Array[] {
  const { config } = model;
  const { num_attention_heads, num_key_value_heads, head_dim } = config;
  const heads_of = (name: string, norm: string | null) =>
    inputs.map((x, position) => {
      const projected = product(model, `${prefix}.${name}.weight`, x);
      return splitHeads(projected, head_dim).map((head) =>
        norm === null ? head : placeHead(model, `${prefix}.${norm}.weight`, head, position),
      );
    });
  const norm_names = {
    llama: ["", ""],
    qwen3: ["q_norm", "k_norm"],
    hunyuan_v1_dense: ["query_layernorm", "key_layernorm"],
  };
  const [query_norm = "", key_norm = ""] = norm_names[config.model_type];
  const kept = (positions: Float64Array[][]) =>
    positions.map((heads) => heads.map((head) => model.keep(head)));
  const queries = heads_of("q_proj", query_norm);
  const keys = kept(heads_of("k_proj", key_norm));
  const values = kept(heads_of("v_proj", null));
  const queries_a_key = num_attention_heads / num_key_value_heads;
  return inputs.map((_, position) => {
    const attended = new Float64Array(num_attention_heads * head_dim);
    for (let head = 0; head < num_attention_heads; head += 1) {
      const group = Math.floor(head / queries_a_key);
      const scores = keys
        .slice(0, position + 1)
        .map((key) => dot(queries[position]?.[head], key[group]) / Math.sqrt(head_dim));
      for (const [source, share] of softmax(scores).entries()) {
        for (let index = 0; index < head_dim; index += 1) {
          const place = head * head_dim + index;
          attended[place] = at(attended, place) + share * at(values[source]?.[group], index);
        }
      }
    }
    return product(model, `${prefix}.o_proj.weight`, attended);
  });
}

/** A query or key head at its position: normed where the family norms it, and rotated. */
function placeHead(model: ReferenceModel, norm: string, head: Float64Array, position: number): Float64Array {
  const { config } = model;
  const rotated = (x: Float64Array) => rotate(x, position, config);
  switch (config.model_type) {
    case "llama":
      return rotated(head);
    case "qwen3":
      return rotated(rmsNorm(head, model.weight(norm), config.rms_norm_eps));
    case "hunyuan_v1_dense":
      return rmsNorm(rotated(head), model.weight(norm), config.rms_norm_eps);
  }
}

function feedForward(model: ReferenceModel, prefix: string, x: Float64Array): Float64Array {
  const gate = product(model, `${prefix}.gate_proj.weight`, x);
  const up = product(model, `${prefix}.up_proj.weight`, x);
  const inner = gate.map((value, index) => (value / (1 + Math.exp(-value))) * at(up, index));
  return product(model, `${prefix}.down_proj.weight`, inner);
}

function splitHeads(x: Float64Array, head_dim: number): Float64Array[] {
  return Array.from({ length: x.length / head_dim }, (_, head) =>
    x.slice(head * head_dim, (head + 1) * head_dim),
  );
}

/** Rotates the pairs (j, j + head_dim / 2) by position times the pair's frequency. */
function rotate(x: Float64Array, position: number, config: ReferenceConfig): Float64Array {
  const half = config.head_dim / 2;
  const rotated = new Float64Array(x.length);
  for (let pair = 0; pair < half; pair += 1) {
    const angle = position * frequency(pair, config);
    const [first, second] = [at(x, pair), at(x, pair + half)];
    rotated[pair] = first * Math.cos(angle) - second * Math.sin(angle);
    rotated[pair + half] = second * Math.cos(angle) + first * Math.sin(angle);
  }
  return rotated;
}

function frequency(pair: number, config: ReferenceConfig): number {
  const { head_dim } = config;
  const rope = config.rope_parameters ?? config.rope_scaling ?? {};
  const number = (name: string) => Number(rope[name]);
  const theta = Number(config.rope_theta ?? rope["rope_theta"] ?? 10_000);
  const plain = (base: number) => 1 / base ** ((2 * pair) / head_dim);
  const type = rope["rope_type"] ?? rope["type"] ?? "default";
  if (type === "default") return plain(theta);
  if (type === "linear") return plain(theta) / number("factor");
  if (type === "dynamic") return plain(theta * number("alpha") ** (head_dim / (head_dim - 2)));
  const wavelength = (2 * Math.PI) / plain(theta);
  const original = number("original_max_position_embeddings");
  if (wavelength < original / number("high_freq_factor")) return plain(theta);
  if (wavelength > original / number("low_freq_factor")) return plain(theta) / number("factor");
  const smooth =
    (original / wavelength - number("low_freq_factor")) /
    (number("high_freq_factor") - number("low_freq_factor"));
  return ((1 - smooth) * plain(theta)) / number("factor") + smooth * plain(theta);
}

function rmsNorm(x: Float64Array, weight: Float32Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, index) => (value / Math.sqrt(mean + epsilon)) * at(weight, index));
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

/** y [rows] = weight [rows, columns] x */
function product(model: ReferenceModel, name: string, x: Float64Array): Float64Array {
  const weight = model.weight(name);
  const input = model.readsInt8(name) ? throughInt8(x) : x;
  return Float64Array.from({ length: weight.length / x.length }, (_, row) =>
    dot(input, weight.subarray(row * x.length, (row + 1) * x.length)),
  );
}

/** x as int8 activations carry it: per 256 columns, the nearest multiples of largest / 127, halves to even. */
function throughInt8(x: Float64Array): Float64Array {
  const result = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += 256) {
    const block = Float32Array.from(x.subarray(start, start + 256));
    const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    const factor = Math.fround(127 / largest);
    for (const [index, value] of block.entries()) {
      result[start + index] = roundToEven(Math.fround(value * factor)) * Math.fround(largest / 127);
    }
  }
  return result;
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

type Numbers = Float32Array | Float64Array;

function dot(left: Numbers | undefined, right: Numbers | undefined): number {
  if (left === undefined || right === undefined || left.length !== right.length)
    throw new RangeError("lengths differ");
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) sum += at(left, index) * at(right, index);
  return sum;
}

function at(numbers: Numbers | undefined, index: number): number {
  const value = numbers?.[index];
  if (value === undefined) throw new RangeError(`no element ${index}`);
  return value;
}
