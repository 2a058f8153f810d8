/** The judge of stories: it finds nothing to blame in the corpus itself, and notices each way to go wrong. */
import { describe, expect, test } from "bun:test";
import { isCoherent, judgeStory } from "../../../scripts/corpus/coherence.ts";
import { Picker } from "../../../scripts/corpus/picker.ts";
import { createStory, type Story } from "../../../scripts/corpus/story.ts";

const COUNT = 300;
const stories = Array.from({ length: COUNT }, (_, seed) => createStory(new Picker(seed)));

function shareOf(passes: (story: Story, index: number) => boolean): number {
  return stories.filter(passes).length / COUNT;
}

test("stories of the corpus are coherent, and their plot is recognised", () => {
  expect(shareOf(({ text, plot }) => judgeStory(text).plot === plot.name)).toBe(1);
  expect(shareOf(({ text }) => isCoherent(judgeStory(text)))).toBeGreaterThan(0.98);
});

describe("noticed is a story that", () => {
  /** The text after the first mention of anything at half its length. */
  const halves = (text: string) => {
    const at = text.indexOf(". ", text.length / 2) + 2;
    return [text.slice(0, at), text.slice(at)] as const;
  };

  test("goes on as another one", () => {
    const noticed = shareOf(({ text, plot }, index) => {
      const other = stories[(index + 1) % COUNT];
      if (other === undefined || other.plot === plot) return true;
      const { strays, is_whole } = judgeStory(halves(text)[0] + halves(other.text)[1]);
      return strays.length > 0 || !is_whole;
    });
    expect(noticed).toBeGreaterThan(0.98);
  });

  test("stops halfway", () => {
    expect(shareOf(({ text }) => !judgeStory(halves(text)[0]).is_whole)).toBeGreaterThan(0.95);
  });

  test("tells its halves the wrong way round", () => {
    const turned = ({ text }: Story) => halves(text).toReversed().join(" ");
    expect(shareOf((story) => !judgeStory(turned(story)).is_in_order)).toBeGreaterThan(0.85);
  });

  test("calls the hero something else in the end", () => {
    const renamed = ({ text, world }: Story) => {
      const [first, second] = halves(text);
      return first + second.replaceAll(world.cast.hero.name, "Quillon");
    };
    const named = stories.filter(
      (story) => / Quillon/.test(renamed(story)) && story.text.includes(story.world.cast.friend.name),
    );
    expect(named.length).toBeGreaterThan(COUNT / 3);
    const noticed = named.filter((story) => judgeStory(renamed(story)).names.includes("Quillon"));
    expect(noticed.length / named.length).toBeGreaterThan(0.8);
  });
});

test("a text without wording of the corpus has no plot and is not coherent", () => {
  const judgement = judgeStory("The quick brown fox jumps over the lazy dog. Then it rests.");
  expect(judgement).toMatchObject({ plot: null, strays: [], names: [] });
  expect(isCoherent(judgement)).toBe(false);
});
