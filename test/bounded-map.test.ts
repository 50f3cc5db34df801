import { expect, test } from "bun:test";
import { BoundedMap } from "../src/bounded-map.ts";

test("a bounded map forgets the entry that was set longest ago", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("c", 3);
  expect([...map]).toEqual([
    ["b", 2],
    ["c", 3],
  ]);
});

test("setting a key again makes it the youngest and forgets nothing", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("a", 3);
  expect([...map]).toEqual([
    ["b", 2],
    ["a", 3],
  ]);
  map.set("c", 4);
  expect([...map.keys()]).toEqual(["a", "c"]);
});

test("a deleted entry of a bounded map leaves room for another", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1).set("b", 2).delete("b");
  map.set("c", 3);
  expect([...map.keys()]).toEqual(["a", "c"]);
});
