import { expect, test } from "bun:test";
import { Heap, type HeapItem } from "../../../src/relay/routing/heap.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

interface Numbered extends HeapItem {
  number: number;
}

const seed = chooseSeed();

test(`a heap has the same order as a sorted list, whatever is added, moved and deleted (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const heap = new Heap<Numbered>((one, other) => one.number < other.number);
  const items = new Set<Numbered>();
  for (let step = 0; step < 5_000; step++) {
    const some = [...items][random.below(items.size + 1)];
    if (!some) {
      const item = { number: random.next(), heapIndex: -1 };
      items.add(item);
      heap.set(item);
    } else if (random.next() < 0.3) {
      items.delete(some);
      heap.delete(some);
      expect(heap.has(some)).toBe(false);
    } else {
      some.number = random.next();
      heap.set(some);
    }
    const sorted = [...items].sort((one, other) => one.number - other.number);
    expect(heap.first).toBe(sorted[0]);
    expect(heap.size).toBe(items.size);
    const from = random.next();
    const test = ({ number }: Numbered) => number >= from;
    expect(heap.find(test)).toBe(sorted.find(test));
  }
});

test("the first item in order is found without looking at the rest, and deleting what is not there is harmless", () => {
  const heap = new Heap<Numbered>((one, other) => one.number < other.number);
  const items = Array.from({ length: 1_000 }, (_, number) => ({ number, heapIndex: -1 }));
  for (const item of items) heap.set(item);
  let looks = 0;
  const found = heap.find(({ number }) => {
    looks++;
    return number === 10;
  });
  expect([found?.number, looks]).toEqual([10, 11]);
  heap.delete({ number: 1, heapIndex: -1 });
  expect(heap.size).toBe(1_000);
});
