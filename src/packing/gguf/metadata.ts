/**
 * The metadata of a GGUF file: typed values by key. Arrays are only walked over when the file is opened, and decoded
 * when somebody asks, so that a vocabulary of a quarter million texts costs nothing to those who want a number.
 * Source: the format's description (ggml, docs/gguf.md).
 */
import type { ByteSource } from "../../format/byte-source.ts";
import { describeValue, excerpt } from "../excerpt.ts";
import { type Cursor, decodeText } from "./cursor.ts";
import { GGUF_ARRAY_COUNT_MAX, GGUF_KEY_BYTES_MAX, GGUF_STRING_BYTES_MAX } from "./limits.ts";
import { invalid, unsupported } from "./refusals.ts";
import { type ElementType, readScalar, scalarBytes, type ValueType, valueTypeOf } from "./value-types.ts";

interface ArrayPlace {
  readonly element: ElementType;
  readonly count: number;
  readonly offset: number;
  readonly bytes: number;
}

interface Entry {
  readonly type: ValueType;
  readonly value: number | bigint | boolean | string | ArrayPlace;
}

/** What a string takes at least: its length. */
const STRING_BYTES_MIN = 8;
/** What an entry takes at least: its key's length, its type and one byte of value. */
export const ENTRY_BYTES_MIN = 13;

/**
 * Values by key. A key that the file does not have gives undefined; one of another type is refused.
 * Every method throws SherryError checkpoint_invalid for a value that is not what it asks for.
 */
export class GgufMetadata {
  readonly #file_name: string;
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file_name: string, source: ByteSource, entries: ReadonlyMap<string, Entry>) {
    this.#file_name = file_name;
    this.#source = source;
    this.#entries = entries;
  }

  /**
   * Reads `count` entries from the cursor.
   * @throws SherryError checkpoint_invalid | checkpoint_unsupported (an array of arrays)
   */
  static read(cursor: Cursor, source: ByteSource, count: number, file_name: string): GgufMetadata {
    const entries = new Map<string, Entry>();
    for (let index = 0; index < count; index += 1) {
      const key = cursor.text(`key ${index} of the metadata`, GGUF_KEY_BYTES_MAX);
      const where = `${file_name}: ${excerpt(key)}`;
      if (entries.has(key)) throw invalid(where, "each key once", "it twice");
      entries.set(key, readEntry(cursor, excerpt(key), where));
    }
    return new GgufMetadata(file_name, source, entries);
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  text(key: string): string | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || typeof value === "string") return value;
    throw this.invalid(key, "a text");
  }

  boolean(key: string): boolean | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || typeof value === "boolean") return value;
    throw this.invalid(key, "true or false");
  }

  /** A whole number of minimum..maximum, of whichever integer type the writer chose. */
  integer(key: string, minimum: number, maximum: number): number | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined) return undefined;
    const number = typeof value === "bigint" ? Number(value) : value;
    if (
      typeof number === "number" &&
      Number.isSafeInteger(number) &&
      number >= minimum &&
      number <= maximum
    ) {
      return number;
    }
    throw this.invalid(key, `an integer from ${minimum} to ${maximum}`);
  }

  /** A finite number. */
  number(key: string): number | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined) return undefined;
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number === "number" && Number.isFinite(number)) return number;
    throw this.invalid(key, "a finite number");
  }

  /** How many elements an array has, without decoding them. */
  arrayLength(key: string): number | undefined {
    return this.#array(key)?.count;
  }

  texts(key: string): readonly string[] | undefined {
    const place = this.#array(key);
    if (place === undefined) return undefined;
    if (place.element !== "string") throw this.invalid(key, "an array of texts");
    const bytes = this.#source.read(place.offset, place.bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const result: string[] = [];
    let position = 0;
    for (let index = 0; index < place.count; index += 1) {
      const start = position + STRING_BYTES_MIN;
      // The lengths were checked when the file was opened; one that is too large now belongs to a file that changed.
      const length = start <= bytes.length ? Number(view.getBigUint64(position, true)) : Infinity;
      position = start + length;
      if (position > bytes.length) throw this.invalid(key, "the array that was there a moment ago");
      const text = bytes.subarray(start, position);
      result.push(decodeText(text, `${this.#file_name}: ${excerpt(key)}[${index}]`));
    }
    return result;
  }

  /** An array of any numeric type, as doubles; the caller owns it. */
  numbers(key: string): Float64Array | undefined {
    const place = this.#array(key);
    if (place === undefined) return undefined;
    const { element, count } = place;
    if (element === "string" || element === "bool") throw this.invalid(key, "an array of numbers");
    const bytes = this.#source.read(place.offset, place.bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const result = new Float64Array(count);
    for (let index = 0; index < count; index += 1) {
      result[index] = Number(readScalar(view, index * scalarBytes(element), element));
    }
    return result;
  }

  invalid(key: string, expected: string): Error {
    return invalid(`${this.#file_name}: ${excerpt(key)}`, expected, this.describe(key));
  }

  unsupported(key: string, expected: string, next_step?: string): Error {
    return unsupported(`${this.#file_name}: ${excerpt(key)}`, expected, this.describe(key), next_step);
  }

  /** The value as a message shows it. */
  describe(key: string): string {
    const value = this.#entries.get(key)?.value;
    // As JSON a NaN would read "null".
    if (typeof value === "bigint" || typeof value === "number") return String(value);
    if (typeof value !== "object") return describeValue(value);
    return `an array of ${value.count} ${value.element}`;
  }

  #array(key: string): ArrayPlace | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || typeof value === "object") return value;
    throw this.invalid(key, "an array");
  }
}

function readEntry(cursor: Cursor, key: string, where: string): Entry {
  const type = readType(cursor, key, where);
  if (type === "array") return { type, value: walkArray(cursor, key, where) };
  if (type === "string") return { type, value: cursor.text(`the text of ${key}`, GGUF_STRING_BYTES_MAX) };
  const bytes = cursor.bytes(scalarBytes(type), `the value of ${key}`);
  if (type === "bool" && (bytes[0] ?? 0) > 1) throw invalid(where, "0 or 1 for a bool", String(bytes[0]));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type, value: readScalar(view, 0, type) };
}

function readType(cursor: Cursor, key: string, where: string): ValueType {
  const type_id = cursor.uint32(`the type of ${key}`);
  const type = valueTypeOf(type_id);
  if (type === undefined) throw invalid(`${where}: type`, "0 to 12", String(type_id));
  return type;
}

function walkArray(cursor: Cursor, key: string, where: string): ArrayPlace {
  const element = readType(cursor, key, where);
  if (element === "array") throw unsupported(where, "an array of plain values", "an array of arrays");
  const what = `the elements of ${key}`;
  const bytes_each = element === "string" ? STRING_BYTES_MIN : scalarBytes(element);
  const count = cursor.count(what, GGUF_ARRAY_COUNT_MAX, bytes_each);
  const offset = cursor.position;
  if (element === "string") {
    for (let index = 0; index < count; index += 1) cursor.skipText(what, GGUF_STRING_BYTES_MAX);
  } else {
    cursor.skip(count * bytes_each, what);
  }
  return { element, count, offset, bytes: cursor.position - offset };
}
