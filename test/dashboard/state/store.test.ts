import { expect, test } from "bun:test";
import { createStore } from "../../../src/dashboard/state/store.ts";

test("subscribers are notified of each change, and of nothing else", () => {
  const store = createStore("a");
  const seen: string[] = [];
  const unsubscribe = store.subscribe(() => seen.push(store.get()));
  store.set("b");
  store.set("b");
  store.set("c");
  unsubscribe();
  store.set("d");
  expect(seen).toEqual(["b", "c"]);
});

test("a subscriber that unsubscribes during a notification does not stop the others from being notified", () => {
  const store = createStore(0);
  const seen: string[] = [];
  const unsubscribeFirst = store.subscribe(() => {
    seen.push("first");
    unsubscribeFirst();
  });
  store.subscribe(() => seen.push("second"));
  store.set(1);
  store.set(2);
  expect(seen).toEqual(["first", "second", "second"]);
});

test("a subscriber that is added during a notification is notified from the next change on", () => {
  const store = createStore(0);
  const seen: number[] = [];
  const unsubscribeFirst = store.subscribe(() => {
    unsubscribeFirst();
    store.subscribe(() => seen.push(store.get()));
  });
  store.set(1);
  expect(seen).toEqual([]);
  store.set(2);
  expect(seen).toEqual([2]);
});
