/**
 * Test-side reader of a GGUF file's metadata, as far as a vocabulary needs it, and the tokenizer.json that says the
 * same. Source: the GGUF specification, version 3 (ggml docs/gguf.md).
 */

type Value = number | boolean | string | Value[];

export function readGgufMetadata(bytes: Uint8Array): Map<string, Value> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 4;
  const advance = (size: number) => {
    offset += size;
    return offset - size;
  };
  const uint32 = () => view.getUint32(advance(4), true);
  const uint64 = () => Number(view.getBigUint64(advance(8), true));
  const text = () => {
    const length = uint64();
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(offset, advance(length) + length),
    );
  };
  const readers: Record<number, () => Value> = {
    0: () => view.getUint8(advance(1)),
    1: () => view.getInt8(advance(1)),
    2: () => view.getUint16(advance(2), true),
    3: () => view.getInt16(advance(2), true),
    4: uint32,
    5: () => view.getInt32(advance(4), true),
    6: () => view.getFloat32(advance(4), true),
    7: () => view.getUint8(advance(1)) !== 0,
    8: text,
    9: () => {
      const type = uint32();
      return Array.from({ length: uint64() }, () => read(type));
    },
    10: uint64,
    11: () => Number(view.getBigInt64(advance(8), true)),
    12: () => view.getFloat64(advance(8), true),
  };
  const read = (type: number): Value => {
    const reader = readers[type];
    if (reader === undefined) throw new Error(`GGUF value type ${type}`);
    return reader();
  };
  if (uint32() !== 3) throw new Error("not GGUF version 3");
  uint64();
  const count = uint64();
  return new Map(Array.from({ length: count }, () => [text(), read(uint32())] as const));
}

function texts(metadata: Map<string, Value>, key: string): string[] {
  const value = metadata.get(key);
  if (!Array.isArray(value)) throw new Error(`${key} is no list`);
  return value.map(String);
}

/** GPT-2: byte alphabet, its own merges, its own regular expression. */
export function gpt2Tokenizer(metadata: Map<string, Value>): Record<string, unknown> {
  const tokens = texts(metadata, "tokenizer.ggml.tokens");
  const end = "<|endoftext|>";
  return {
    added_tokens: [{ id: tokens.indexOf(end), content: end, special: true }],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: texts(metadata, "tokenizer.ggml.merges"),
    },
  };
}

/**
 * Llama 2: SentencePiece scores become merges, the best-scored piece first, as transformers converts them
 * (convert_slow_tokenizer.py, SentencePieceExtractor).
 */
export function llamaTokenizer(metadata: Map<string, Value>): Record<string, unknown> {
  const tokens = texts(metadata, "tokenizer.ggml.tokens");
  const scores = metadata.get("tokenizer.ggml.scores");
  if (!Array.isArray(scores)) throw new Error("no scores");
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: { pair: [string, string]; score: number; ids: [number, number] }[] = [];
  for (const [id, token] of tokens.entries()) {
    const characters = Array.from(token);
    for (let cut = 1; cut < characters.length; cut += 1) {
      const pair: [string, string] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])];
      if (left !== undefined && right !== undefined) {
        merges.push({ pair, score: Number(scores[id]), ids: [left, right] });
      }
    }
  }
  merges.sort((a, b) => b.score - a.score || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
  return {
    added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({
      id,
      content,
      special: true,
      normalized: false,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(ids),
      merges: merges.map(({ pair }) => pair),
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
    },
  };
}
