import { expect, test } from "bun:test";
import { PROCESS_SLOTS, SlotBudget } from "../../src/builtin-agent/slot-budget.ts";

test("an upstream has the slots that were chosen, whatever it declares", () => {
  const share = new SlotBudget().share(3);
  expect([share(undefined), share(16)]).toEqual([3, 3]);
});

test("an upstream without chosen slots has those that it declares, or 8", () => {
  const share = new SlotBudget().share("auto");
  expect([share(undefined), share(2), share(64), share(undefined)]).toEqual([8, 2, 64, 8]);
});

test("all upstreams together have no more slots than a process can serve", () => {
  const budget = new SlotBudget();
  const [chosen, first, second] = [budget.share(200), budget.share("auto"), budget.share("auto")];
  expect([chosen(undefined), first(64), second(64)]).toEqual([200, 32, 8]);
  expect(chosen(undefined) + first(64) + second(64)).toBe(PROCESS_SLOTS);
  // What one gives back, another may have.
  expect([first(1), second(64)]).toEqual([1, 39]);
});

test("every upstream has at least one slot", () => {
  const budget = new SlotBudget();
  budget.share(240);
  expect(budget.share("auto")(16)).toBe(1);
});
