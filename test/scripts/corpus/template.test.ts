/** The sentences' notation and the grammar that smooths filled sentences; every plot's sentences are well-formed. */
import { describe, expect, test } from "bun:test";
import { indefiniteArticle, smooth, withDefiniteArticle } from "../../../scripts/corpus/grammar.ts";
import { Picker } from "../../../scripts/corpus/picker.ts";
import { PLOTS } from "../../../scripts/corpus/plots/plots.ts";
import { capitalize, fillTemplate, parseTemplate, slotsOf } from "../../../scripts/corpus/template.ts";
import { createWorld, tell } from "../../../scripts/corpus/world.ts";

describe("the notation", () => {
  const fill = (source: string, seed = 0) => fillTemplate(source, (name) => `<${name}>`, new Picker(seed));

  test("fills slots and takes every option in time", () => {
    expect(fill("a {kind} named {hero}.")).toBe("a <kind> named <hero>.");
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => fill("x[a|b[c|d]|] y", seed)));
    expect([...seen].sort()).toEqual(["x y", "xa y", "xbc y", "xbd y"]);
  });

  test("gives a capital where the slot has one", () => {
    const slots = () => "under a fern";
    expect(fillTemplate("{Spot}, {spot}", slots, new Picker(0))).toBe("Under a fern, under a fern");
    expect(capitalize('"oh," he said')).toBe('"Oh," he said');
    expect(slotsOf(parseTemplate("{One_day} [{hero}|[{place}]]"))).toEqual(["one_day", "hero", "place"]);
  });

  test("refuses what does not match", () => {
    for (const source of ["[a|b", "a]", "a|b", "{a", "a}", "{a b}", "{}"]) {
      expect(() => parseTemplate(source)).toThrow(SyntaxError);
    }
  });
});

describe("grammar", () => {
  test("articles", () => {
    for (const word of ["owl", "apple", "hour", "honest", "umbrella", "elf"]) {
      expect(indefiniteArticle(word)).toBe("an");
    }
    for (const word of ["fox", "unicorn", "useful", "hat", "one"]) expect(indefiniteArticle(word)).toBe("a");
    expect(withDefiniteArticle("under an old oak")).toBe("under the old oak");
  });

  test("smoothing", () => {
    expect(smooth("a owl met a unicorn.  then it left .")).toBe("An owl met a unicorn. Then it left.");
    expect(smooth('"Come!," said Pip. "now" said Bea.')).toBe('"Come!" said Pip. "Now," said Bea.');
    expect(smooth('"I see." he said. "Where?!" "there."')).toBe('"I see," he said. "Where?" "There."');
  });
});

describe("every plot", () => {
  test("has all the words that its lines ask for", () => {
    expect(new Set(PLOTS.map(({ name }) => name)).size).toBe(PLOTS.length);
    for (const [index, plot] of PLOTS.entries()) {
      const picker = new Picker(index);
      const world = createWorld(plot, picker);
      for (const line of [...plot.beats.flat(), ...plot.summaries]) {
        expect(() => slotsOf(parseTemplate(line)).map(world.slots)).not.toThrow();
        expect(tell(line, world, picker)).not.toContain("undefined");
      }
    }
    const [plot] = PLOTS;
    if (plot === undefined) throw new Error("there are no plots");
    expect(() => createWorld(plot, new Picker(0)).slots("nonsense")).toThrow(
      "no story has a word for {nonsense}",
    );
  });

  test("keeps its words from beginning to end", () => {
    for (const [index, plot] of PLOTS.entries()) {
      const { slots } = createWorld(plot, new Picker(index));
      for (const name of ["hero", "thing", "spot", "place", "elder", "dish"])
        expect(slots(name)).toBe(slots(name));
      for (const [name, [fact]] of Object.entries(plot.facts)) {
        const slot = typeof fact === "object" ? `${name}_${Object.keys(fact)[0]}` : name;
        expect(slots(slot)).toBe(slots(slot));
      }
    }
  });
});
