import { expect, test } from "bun:test";
import { createStrangerShare } from "../../../src/http/middleware/stranger-share.ts";

/** Returns a share, and a function that enters it under a name which is noted when the request is cut. */
function start(limits: Partial<Parameters<typeof createStrangerShare>[0]>) {
  const share = createStrangerShare({ addressMax: 100, allMax: 100, bytesMax: 1000, ...limits });
  const cut: string[] = [];
  const enter = (name: string, { address = "10.0.0.1", bytes = 1 } = {}) =>
    share.enter(address, bytes, () => cut.push(name));
  return { share, cut, enter };
}

test("when an address has its share, its request that waits longest makes room", () => {
  const { share, cut, enter } = start({ addressMax: 2 });
  enter("other", { address: "10.0.0.2" });
  for (const name of ["first", "second", "third"]) enter(name);
  expect([cut, share.count]).toEqual([["first"], 3]);
});

test("when all together have their share, the request that waits longest makes room", () => {
  const { share, cut, enter } = start({ allMax: 2 });
  for (const at of [1, 2, 3, 4]) enter(`${at}`, { address: `10.0.0.${at}` });
  expect([cut, share.count]).toEqual([["1", "2"], 2]);
});

test("requests make room until the bytes of a new one fit", () => {
  const { cut, enter } = start({ bytesMax: 100 });
  for (const name of ["a", "b", "c"]) enter(name, { bytes: 30 });
  enter("large", { bytes: 60 });
  expect(cut).toEqual(["a", "b"]);
});

test("a request that has ended makes room once, and is not cut", () => {
  const { share, cut, enter } = start({ addressMax: 1 });
  const leave = enter("ended");
  leave();
  leave();
  expect(share.count).toBe(0);
  enter("next");
  leave();
  expect([cut, share.count]).toEqual([[], 1]);
});

test("addresses of one IPv6 network share", () => {
  const { cut, enter } = start({ addressMax: 1 });
  enter("a", { address: "2001:db8::1" });
  enter("b", { address: "2001:db8::2" });
  enter("c", { address: "2001:db8:0:1::1" });
  expect(cut).toEqual(["a"]);
});
