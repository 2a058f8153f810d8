/** Open, closing, ended. */
import { expect, test } from "bun:test";
import { Lifecycle } from "../../src/server/lifecycle.ts";

test("idle is reached when the last answer has ended, and an end counts once", async () => {
  const lifecycle = new Lifecycle();
  const ends = [lifecycle.begin(new AbortController()), lifecycle.begin(new AbortController())];
  expect(lifecycle.running_count).toBe(2);
  expect(await lifecycle.idleWithin(5)).toBe(false);
  ends[0]?.();
  ends[0]?.();
  expect(lifecycle.running_count).toBe(1);
  const idle = lifecycle.idleWithin(5000);
  ends[1]?.();
  expect(await idle).toBe(true);
  expect(await lifecycle.idleWithin(0)).toBe(true);
});

test("closing refuses new work; abortAll ends what runs with the same words", () => {
  const lifecycle = new Lifecycle();
  const controller = new AbortController();
  lifecycle.begin(controller);
  lifecycle.beginClosing();
  expect(lifecycle.closing).toBe(true);
  expect(() => lifecycle.begin(new AbortController())).toThrow(
    "The server is shutting down. Try again shortly",
  );
  expect(controller.signal.aborted).toBe(false);
  lifecycle.abortAll();
  expect(controller.signal.reason).toMatchObject({ name: "SherryError", code: "closed" });
});
