import { expect, test } from "bun:test";
import { chooseSeed, createRandom } from "../support/random.ts";
import { VirtualClock } from "./clock.ts";

const seed = chooseSeed();

test(`timers run in the order of their times, and cancelled ones never (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const clock = new VirtualClock(0);
  const due: number[] = [];
  const ran: number[] = [];
  let looks = 0;
  for (let n = 0; n < 20_000; n++) {
    const delayMs = random.below(5_000);
    const cancel = clock.after(delayMs, () => ran.push(clock.now()));
    if (random.next() < 0.7) cancel();
    else due.push(delayMs);
  }
  await clock.run(
    () => ran.length === due.length,
    () => looks++,
  );
  expect(ran).toEqual(due.sort((a, b) => a - b));
  expect(looks).toBeGreaterThan(1_000);
});

test("timers of the same time run in the order in which they were set, and may set others", async () => {
  const clock = new VirtualClock(0);
  const ran: string[] = [];
  clock.after(5, () => ran.push("b"));
  const cancel = clock.after(5, () => ran.push("never"));
  clock.after(5, () => clock.after(0, () => ran.push("d")));
  clock.after(5, () => ran.push("c"));
  clock.after(1, () => {
    ran.push("a");
    cancel();
    cancel();
  });
  await clock.run(
    () => ran.length === 4,
    () => {},
  );
  expect(ran).toEqual(["a", "b", "c", "d"]);
  expect(clock.now()).toBe(5);
  expect(() =>
    clock.run(
      () => false,
      () => {},
    ),
  ).toThrow("Nothing is left to happen.");
});
