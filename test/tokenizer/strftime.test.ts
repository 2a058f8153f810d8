/** Dates as Python's strftime writes them in the C locale. */
import { describe, expect, test } from "bun:test";
import { strftime } from "../../src/tokenizer/strftime.ts";

describe("strftime", () => {
  test("writes every directive of its table", () => {
    const date = new Date(2024, 6, 4, 0, 5, 9);
    expect(strftime(date, "%d %b %Y")).toBe("04 Jul 2024");
    expect(strftime(date, "%A, %B %d, %y")).toBe("Thursday, July 04, 24");
    expect(strftime(date, "%a %Y-%m-%d %H:%M:%S %I%p 100%%")).toBe("Thu 2024-07-04 00:05:09 12AM 100%");
    expect(strftime(new Date(2024, 11, 31, 13, 0, 0), "%I %p")).toBe("01 PM");
  });

  test("refuses other directives by name", () => {
    expect(() => strftime(new Date(0), "%Q")).toThrow('strftime_now does not know the directive "%Q"');
    expect(() => strftime(new Date(0), "50%")).toThrow('strftime_now does not know the directive "%"');
  });
});
