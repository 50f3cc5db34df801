import { expect, test } from "bun:test";
import { userPrincipal } from "../../../src/principal.ts";
import { PRIORITIES, type Priority } from "../../../src/relay/routing/priority.ts";
import { Turns } from "../../../src/relay/routing/turns.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

const all = () => true;
let arrivals = 0;
const item = (user: string, name: string, priority: Priority = "normal") => ({
  principal: userPrincipal(user),
  name,
  priority,
  order: ++arrivals,
});
type Item = ReturnType<typeof item>;

const seed = chooseSeed();

test("users take turns, and the items of each user keep their order", () => {
  const turns = new Turns<Item>();
  for (const name of ["a1", "a2", "a3"]) turns.push(item("a", name));
  for (const name of ["b1", "b2"]) turns.push(item("b", name));
  turns.push(item("c", "c1"));
  const order = Array.from({ length: 6 }, () => turns.take(all)?.name);
  expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect([turns.size, turns.take(all), turns.first]).toEqual([0, undefined, undefined]);
});

test("an item that does not fit holds up no other item, not even one of the same user", () => {
  const turns = new Turns<Item>();
  turns.push(item("a", "elsewhere"));
  turns.push(item("a", "free"));
  expect(turns.take(({ name }) => name === "free")?.name).toBe("free");
  expect(turns.size).toBe(1);
});

test("a user who was passed over keeps their turn", () => {
  const turns = new Turns<Item>();
  turns.push(item("a", "a1"));
  turns.push(item("b", "b1"));
  turns.push(item("b", "b2"));
  turns.take(({ principal }) => principal.id === "b");
  expect(turns.take(all)?.name).toBe("a1");
});

test("only the asks of the given user are taken, though it is another's turn", () => {
  const turns = new Turns<Item>();
  turns.push(item("a", "a1"));
  turns.push(item("b", "b1"));
  expect([turns.has("b"), turns.has("c")]).toEqual([true, false]);
  expect(turns.take(all, { id: "b" })?.name).toBe("b1");
  expect(turns.take(all, { id: "b" })).toBeUndefined();
});

test("items whose turn came to nothing come before the younger ones of their user, in the order of their arrival", () => {
  const turns = new Turns<Item>();
  for (const name of ["a1", "a2", "a3", "a4"]) turns.push(item("a", name));
  turns.push(item("b", "b1"));
  const taken = [turns.take(all, { id: "a" }), turns.take(all, { id: "a" }), turns.take(all, { id: "a" })];
  for (const one of taken) if (one) turns.push(one, true);
  // Their user has the turns again that came to nothing.
  const order = Array.from({ length: 5 }, () => turns.take(all)?.name);
  expect(order.filter((name) => name !== "b1")).toEqual(["a1", "a2", "a3", "a4"]);
  expect(order.indexOf("b1")).toBeLessThanOrEqual(1);
});

test("removing takes out exactly one item, and may be repeated", () => {
  const turns = new Turns<Item>();
  const first = item("a", "a1");
  turns.push(first);
  turns.push(item("a", "a2"));
  expect([turns.remove(first), turns.remove(first)]).toEqual([true, false]);
  expect(turns.items().map(({ name }) => name)).toEqual(["a2"]);
});

test("users of the classes high, normal and low have turns like 8 to 4 to 1 while all of them wait", () => {
  const turns = new Turns<Item>();
  const had: Record<string, number> = {};
  for (const priority of PRIORITIES)
    for (const user of ["1", "2"])
      for (let n = 0; n < 2; n++) turns.push(item(priority + user, "", priority));
  for (let turn = 0; turn < 2_600; turn++) {
    const { principal, priority } = turns.take(all) ?? item("", "");
    had[principal.id] = (had[principal.id] ?? 0) + 1;
    turns.push(item(principal.id, "", priority));
  }
  expect(had).toEqual({ high1: 800, high2: 800, normal1: 400, normal2: 400, low1: 100, low2: 100 });
});

test("a user gains nothing by sending asks of several classes, and their own low ones are not starved", () => {
  const turns = new Turns<Item>();
  const had: Record<string, number> = {};
  const push = (user: string, priority: Priority) => turns.push(item(user, priority, priority));
  for (const priority of ["normal", "low"] as const) for (let n = 0; n < 2; n++) push("mixed", priority);
  for (let n = 0; n < 2; n++) push("plain", "normal");
  for (let turn = 0; turn < 2_000; turn++) {
    const { principal, priority } = turns.take(all) ?? item("", "");
    had[`${principal.id} ${priority}`] = (had[`${principal.id} ${priority}`] ?? 0) + 1;
    push(principal.id, priority);
  }
  expect(Math.abs((had["plain normal"] ?? 0) - 1_000)).toBeLessThan(20);
  expect(had["mixed low"] ?? 0).toBeGreaterThan(150);
});

test("a newcomer waits for about one turn of each other user, not for what they have had before", () => {
  const turns = new Turns<Item>();
  for (let n = 0; n < 300; n++) turns.push(item("greedy", `${n}`));
  for (let n = 0; n < 100; n++) turns.take(all);
  turns.push(item("new", "new"));
  const taken = [turns.take(all)?.name, turns.take(all)?.name];
  expect(taken).toContain("new");
});

test(`whatever comes and goes, each item is taken once, and the number of items before one is about right (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const turns = new Turns<Item>();
  const open = new Set<Item>();
  for (let step = 0; step < 20_000; step++) {
    if (random.next() < 0.5) {
      const one = item(`u${random.below(20)}`, "", random.pick(PRIORITIES));
      open.add(one);
      turns.push(one, random.next() < 0.1);
    } else if (random.next() < 0.2) {
      const [one] = open;
      if (one) expect(turns.remove(one)).toBe(open.delete(one));
    } else {
      const { first } = turns;
      if (first) expect(turns.before(first)).toBeLessThanOrEqual(turns.size);
      const taken = turns.take(all);
      expect(taken).toBe(first);
      expect(taken === undefined ? open.size === 0 : open.delete(taken)).toBe(true);
    }
    expect(turns.size).toBe(open.size);
  }
  expect(new Set(turns.items())).toEqual(open);
});

test("the number of items before one counts a turn of each other user for each of its own", () => {
  const turns = new Turns<Item>();
  for (let n = 0; n < 10; n++) turns.push(item("a", `a${n}`));
  for (let n = 0; n < 3; n++) turns.push(item("b", `b${n}`));
  const last = item("b", "last");
  turns.push(last);
  let before = 0;
  const told = turns.before(last);
  while (turns.take(all) !== last) before++;
  expect(Math.abs(told - before)).toBeLessThanOrEqual(1);
});
