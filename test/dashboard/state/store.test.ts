import { expect, test } from "bun:test";
import { createStore } from "../../../src/dashboard/state/store.ts";

test("who watches is told of each change, and of nothing else", () => {
  const store = createStore("a");
  const seen: string[] = [];
  const end = store.subscribe(() => seen.push(store.get()));
  store.set("b");
  store.set("b");
  store.set("c");
  end();
  store.set("d");
  expect(seen).toEqual(["b", "c"]);
});

test("one who leaves while others are told does not keep them from it", () => {
  const store = createStore(0);
  const seen: string[] = [];
  const endFirst = store.subscribe(() => {
    seen.push("first");
    endFirst();
  });
  store.subscribe(() => seen.push("second"));
  store.set(1);
  store.set(2);
  expect(seen).toEqual(["first", "second", "second"]);
});

test("one who comes while others are told is told of the next change", () => {
  const store = createStore(0);
  const seen: number[] = [];
  const endFirst = store.subscribe(() => {
    endFirst();
    store.subscribe(() => seen.push(store.get()));
  });
  store.set(1);
  expect(seen).toEqual([]);
  store.set(2);
  expect(seen).toEqual([2]);
});
