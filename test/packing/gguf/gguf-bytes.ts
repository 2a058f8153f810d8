/**
 * GGUF files for the tests, sound and broken, from an encoder that shares nothing with src/packing/gguf: written from
 * the format's description (ggml, docs/gguf.md), so that the two cannot be wrong in the same way.
 */

/** Bytes in the order they are appended; little-endian. */
export class ByteList {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte & 255);
    return this;
  }

  number(value: number | bigint, bytes: number): this {
    for (let index = 0; index < bytes; index += 1) {
      this.#bytes.push(Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * index)) & 255n));
    }
    return this;
  }

  u32(value: number): this {
    return this.number(value, 4);
  }

  u64(value: number | bigint): this {
    return this.number(value, 8);
  }

  f32(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): this {
    return this.raw(new Uint8Array(Float64Array.of(value).buffer));
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u64(bytes.length).raw(bytes);
  }

  padTo(multiple: number): this {
    while (this.#bytes.length % multiple !== 0) this.#bytes.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export interface RawTensor {
  readonly name: string;
  readonly dimensions: readonly (number | bigint)[];
  readonly type_id: number;
  readonly offset: number | bigint;
}

export interface RawFile {
  readonly version?: number;
  readonly tensor_count?: number | bigint;
  readonly metadata_count?: number | bigint;
  /** Writes key, type and value. */
  readonly metadata?: readonly ((bytes: ByteList) => void)[];
  readonly tensors?: readonly RawTensor[];
  readonly alignment?: number;
  readonly data?: Iterable<number>;
}

/** The file as described, right or wrong. */
export function fileBytes(file: RawFile): Uint8Array {
  const { metadata = [], tensors = [], data = [] } = file;
  const bytes = new ByteList().raw([0x47, 0x47, 0x55, 0x46]).u32(file.version ?? 3);
  bytes.u64(file.tensor_count ?? tensors.length).u64(file.metadata_count ?? metadata.length);
  for (const write of metadata) write(bytes);
  for (const { name, dimensions, type_id, offset } of tensors) {
    bytes.text(name).u32(dimensions.length);
    for (const size of dimensions) bytes.u64(size);
    bytes.u32(type_id).u64(offset);
  }
  if (tensors.length > 0) bytes.padTo(file.alignment ?? 32);
  return bytes.raw(data).done();
}

export const kv = {
  u8: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(0).number(value, 1),
  i8: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(1).number(value, 1),
  u16: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(2).number(value, 2),
  i16: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(3).number(value, 2),
  u32: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(4).u32(value),
  i32: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(5).number(value, 4),
  f32: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(6).f32(value),
  bool: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(7).number(value, 1),
  text: (key: string, value: string) => (bytes: ByteList) => bytes.text(key).u32(8).text(value),
  u64: (key: string, value: bigint) => (bytes: ByteList) => bytes.text(key).u32(10).u64(value),
  i64: (key: string, value: bigint) => (bytes: ByteList) => bytes.text(key).u32(11).u64(value),
  f64: (key: string, value: number) => (bytes: ByteList) => bytes.text(key).u32(12).f64(value),
  texts: (key: string, values: readonly string[]) => (bytes: ByteList) => {
    bytes.text(key).u32(9).u32(8).u64(values.length);
    for (const value of values) bytes.text(value);
  },
  f32s: (key: string, values: readonly number[]) => (bytes: ByteList) => {
    bytes.text(key).u32(9).u32(6).u64(values.length);
    for (const value of values) bytes.f32(value);
  },
  i32s: (key: string, values: readonly number[]) => (bytes: ByteList) => {
    bytes.text(key).u32(9).u32(5).u64(values.length);
    for (const value of values) bytes.number(value, 4);
  },
};

export const DAMAGED = "The file is damaged or was not downloaded whole; get it again";

/** 32 bytes. */
export const F32_TENSOR: RawTensor = { name: "a", dimensions: [4, 2], type_id: 0, offset: 0 };
/** Three tensors in 132 bytes, with texts and numbers in the metadata. */
export const SOUND: RawFile = {
  metadata: [
    kv.text("general.architecture", "llama"),
    kv.texts("tokens", ["x", "", "\u00e9\u{1f600}"]),
    kv.f32s("scores", [0.5, -1]),
  ],
  tensors: [
    F32_TENSOR,
    { name: "b", dimensions: [3], type_id: 1, offset: 32 },
    { name: "c", dimensions: [32, 1, 2], type_id: 8, offset: 64 },
  ],
  data: new Uint8Array(32 + 32 + 68),
};
