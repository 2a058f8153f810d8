/**
 * The sentences' notation. `[one|other|]` is a choice, the last here being to say nothing; `{slot}` is a word of the
 * story at hand and `{Slot}` the same with a capital. Choices nest. Everything else is told as it stands.
 */
import type { Picker } from "./picker.ts";

export type Template = readonly Part[];

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "slot"; readonly name: string; readonly has_capital: boolean }
  | { readonly kind: "choice"; readonly options: readonly Template[] };

/** Words of one story by slot name. Asked in the order of telling, so a word may be drawn when it is first needed. */
export type Slots = (name: string) => string;

const PARSED = new Map<string, Template>();

/** @throws SyntaxError for brackets that do not match; the sentences are ours, so this is a mistake of the house. */
export function parseTemplate(source: string): Template {
  const known = PARSED.get(source);
  if (known !== undefined) return known;
  const reader = new Reader(source);
  const template = reader.readParts();
  if (!reader.isAtEnd) throw new SyntaxError(`a "${source[reader.position]}" too many in: ${source}`);
  PARSED.set(source, template);
  return template;
}

export function fillTemplate(source: string, slots: Slots, picker: Picker): string {
  return fillParts(parseTemplate(source), slots, picker);
}

/** The names of all slots that a template may ask for, capitals made small. */
export function slotsOf(template: Template): string[] {
  return template.flatMap((part) => {
    if (part.kind === "slot") return [part.name];
    return part.kind === "choice" ? part.options.flatMap(slotsOf) : [];
  });
}

/** With a capital first letter, behind an opening quotation mark as well. */
export function capitalize(text: string): string {
  return text.replace(/^("?)(\p{Ll})/u, (_, quote: string, letter: string) => quote + letter.toUpperCase());
}

function fillParts(parts: Template, slots: Slots, picker: Picker): string {
  let text = "";
  for (const part of parts) {
    if (part.kind === "text") text += part.text;
    else if (part.kind === "choice") text += fillParts(picker.pick(part.options), slots, picker);
    else text += part.has_capital ? capitalize(slots(part.name)) : slots(part.name);
  }
  return text;
}

class Reader {
  position = 0;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.position === this.#source.length;
  }

  /** Up to the end, or to the "|" or "]" that ends an option. */
  readParts(): Template {
    const parts: Part[] = [];
    while (!this.isAtEnd) {
      const sign = this.#source[this.position];
      if (sign === "|" || sign === "]") break;
      if (sign === "[") parts.push(this.#readChoice());
      else if (sign === "{") parts.push(this.#readSlot());
      else parts.push(this.#readText());
    }
    return parts;
  }

  #readText(): Part {
    const begin = this.position;
    while (!this.isAtEnd && !"[]{}|".includes(this.#source[this.position] ?? "")) this.position += 1;
    if (this.position === begin) throw new SyntaxError(`a "}" too many in: ${this.#source}`);
    return { kind: "text", text: this.#source.slice(begin, this.position) };
  }

  #readSlot(): Part {
    const end = this.#source.indexOf("}", this.position);
    const name = this.#source.slice(this.position + 1, end);
    if (end < 0 || !/^[A-Za-z][a-z_0-9]*$/.test(name))
      throw new SyntaxError(`a bad slot in: ${this.#source}`);
    this.position = end + 1;
    const small = name.charAt(0).toLowerCase() + name.slice(1);
    return { kind: "slot", name: small, has_capital: small !== name };
  }

  #readChoice(): Part {
    const options: Template[] = [];
    do {
      this.position += 1;
      options.push(this.readParts());
    } while (this.#source[this.position] === "|");
    if (this.#source[this.position] !== "]") throw new SyntaxError(`a "[" without "]" in: ${this.#source}`);
    this.position += 1;
    return { kind: "choice", options };
  }
}
