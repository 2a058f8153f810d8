/** Reads typed fields out of a checkpoint's JSON files; every refusal names the file and the field. */
import { SherryError } from "../errors.ts";
import { describeValue, excerpt } from "./excerpt.ts";
import type { JsonObject } from "./json-text.ts";

export class Fields {
  readonly file_name: string;
  readonly #object: JsonObject;

  /** @param file_name how messages name the object, e.g. "config.json" or "config.json: rope_scaling" */
  constructor(file_name: string, object: JsonObject) {
    this.file_name = file_name;
    this.#object = object;
  }

  /** The value; JSON's null counts as absent, as Hugging Face writes it for what is not set. */
  value(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  names(): readonly string[] {
    return Object.keys(this.#object).filter((name) => this.value(name) !== undefined);
  }

  /** @throws SherryError checkpoint_invalid unless absent or a whole number of minimum..maximum */
  integer(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum)
      return Number(value);
    throw this.invalid(name, `an integer from ${minimum} to ${maximum}`);
  }

  /** @throws SherryError checkpoint_invalid when absent or not a whole number of minimum..maximum */
  requiredInteger(name: string, minimum: number, maximum: number): number {
    const value = this.integer(name, minimum, maximum);
    if (value === undefined) throw this.invalid(name, `an integer from ${minimum} to ${maximum}`);
    return value;
  }

  /** @throws SherryError checkpoint_invalid unless absent or a finite number that `fits`. @param expected names that */
  number(name: string, expected: string, fits: (value: number) => boolean): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && fits(value)) return value;
    throw this.invalid(name, expected);
  }

  /** @throws SherryError checkpoint_invalid when absent or not above zero */
  requiredPositive(name: string): number {
    const value = this.number(name, "a number above 0", (number) => number > 0);
    if (value === undefined) throw this.invalid(name, "a number above 0");
    return value;
  }

  /** @throws SherryError checkpoint_invalid unless absent or true or false */
  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.invalid(name, "true or false");
  }

  /** @throws SherryError checkpoint_invalid unless absent or a text */
  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.invalid(name, "a text");
  }

  invalid(name: string, expected: string): SherryError {
    return new SherryError("checkpoint_invalid", `${this.file_name}: ${excerpt(name)}`, {
      expected,
      received: describeValue(this.value(name)),
    });
  }

  unsupported(name: string, expected: string, next_step?: string): SherryError {
    return new SherryError("checkpoint_unsupported", `${this.file_name}: ${excerpt(name)}`, {
      expected,
      received: describeValue(this.value(name)),
      ...(next_step === undefined ? {} : { next_step }),
    });
  }
}
