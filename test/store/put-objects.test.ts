import { expect, test } from "bun:test";
import { createPutObjects } from "../../src/store/put-objects.ts";
import { createFakeClock } from "../support/clock.ts";

test("an object is written at once if a caller waits for it, and nobody waits while writing fails", async () => {
  const clock = createFakeClock();
  const written: string[] = [];
  let isFull = false;
  const objects = createPutObjects({ after: clock.after, onError: () => {} }, async (batch) => {
    if (isFull) throw new Error("the disk is full");
    written.push(...batch.map(({ id }) => id));
  });
  const encode = async () => ({ body: new Uint8Array(), items: [] });
  const put = (id: string) => objects.put({ owner: null, id, at: 0, length: 1, encode });
  put("a");
  await objects.written();
  expect(written).toEqual(["a"]);
  isFull = true;
  for (const id of ["b", "c"]) {
    put(id);
    await objects.written();
  }
  expect(written).toEqual(["a"]);
  isFull = false;
  await objects.end();
  expect(written).toEqual(["a", "b", "c"]);
});
