import { expect, test } from "bun:test";
import { findPairingState } from "../../../../../src/dashboard/pages/agents/pair/pairing-state.ts";

const KEY = { id: "p1", name: "gpu box", revoked_at: null };

const lists = (
  pairings: string[],
  keys: (typeof KEY | { id: string; name: string; revoked_at: string })[],
) => ({
  pairings: async () => pairings.map((id) => ({ id })),
  agentKeys: async () => keys,
});

test("a code is open while it is listed, then paired if a key has its id, and else gone", async () => {
  expect(await findPairingState("p1", lists(["p0", "p1"], []))).toEqual({ state: "open" });
  expect(await findPairingState("p1", lists(["p0"], [KEY]))).toEqual({ state: "paired", keyName: "gpu box" });
  expect(await findPairingState("p1", lists(["p0"], [{ ...KEY, id: "p0" }]))).toEqual({ state: "gone" });
  const revoked = { ...KEY, revoked_at: "2026-11-23T20:10:14.924Z" };
  expect(await findPairingState("p1", lists([], [revoked]))).toEqual({ state: "gone" });
});

test("a code that is used between the two requests is not taken for an expired one", async () => {
  let isUsed = false;
  const pairings = async () => {
    const open = isUsed ? [] : [{ id: "p1" }];
    isUsed = true;
    return open;
  };
  const agentKeys = async () => (isUsed ? [KEY] : []);
  expect(await findPairingState("p1", { pairings, agentKeys })).toEqual({ state: "open" });
  expect(await findPairingState("p1", { pairings, agentKeys })).toMatchObject({ state: "paired" });
});
