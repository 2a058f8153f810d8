/**
 * The types of a GGUF file's metadata values: number in the file, name, and bytes of one value.
 * Source: the format's description (ggml, docs/gguf.md, gguf_metadata_value_type).
 */

/** Types whose values have one size. */
export type ScalarType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "bool"
  | "uint64"
  | "int64"
  | "float64";
/** What an array may hold; arrays of arrays are refused. */
export type ElementType = ScalarType | "string";
export type ValueType = ElementType | "array";

/** Index: the type's number in the file. */
const NAMES: readonly ValueType[] = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
];

const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Undefined for a number that no type has. */
export function valueTypeOf(type_id: number): ValueType | undefined {
  return NAMES[type_id];
}

export function valueTypeId(type: ValueType): number {
  return NAMES.indexOf(type);
}

export function scalarBytes(type: ScalarType): number {
  return SCALAR_BYTES[type];
}

/** A scalar's value; 64-bit integers come as bigint, as a double could not hold them all. */
export function readScalar(view: DataView, offset: number, type: ScalarType): number | bigint | boolean {
  switch (type) {
    case "uint8":
      return view.getUint8(offset);
    case "int8":
      return view.getInt8(offset);
    case "uint16":
      return view.getUint16(offset, true);
    case "int16":
      return view.getInt16(offset, true);
    case "uint32":
      return view.getUint32(offset, true);
    case "int32":
      return view.getInt32(offset, true);
    case "float32":
      return view.getFloat32(offset, true);
    case "bool":
      return view.getUint8(offset) !== 0;
    case "uint64":
      return view.getBigUint64(offset, true);
    case "int64":
      return view.getBigInt64(offset, true);
    case "float64":
      return view.getFloat64(offset, true);
  }
}
