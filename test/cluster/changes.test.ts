import { describe, expect, test } from "bun:test";
import { type Change, type ChangeTargets, createChanges } from "../../src/cluster/changes.ts";
import type { NodeInfo } from "../../src/cluster/part.ts";
import { createFakeClock } from "../support/clock.ts";
import { createMemoryCluster } from "./memory-link.ts";

/** Writes down what a node does. */
function recorder() {
  const done: string[] = [];
  const note =
    (what: string) =>
    (given: string | readonly string[] = []) =>
      void done.push([what, ...[given].flat()].join(" "));
  const targets: ChangeTargets = {
    usersChanged: note("users"),
    userRevoked: note("revoked"),
    agentKeysChanged: note("keys"),
    sessionsEnded: note("sessions"),
    settingsChanged: note("settings"),
    allChanged: note("all"),
  };
  return { done, targets };
}

/** Two nodes, `a` and `b`, that are in touch. */
function scene() {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const start = (name: string) => {
    const { done, targets } = recorder();
    const made: { announce?: (change: Change) => void } = {};
    cluster.add(name, (link) => {
      const changes = createChanges(link, targets);
      made.announce = changes.announce;
      return [changes];
    });
    return { done, announce: (change: Change) => made.announce?.(change) };
  };
  const [a, b] = [start("a"), start("b")];
  const pass = () => clock.advance(1);
  return { cluster, a, b, start, pass };
}

const FROM: NodeInfo = { id: "x", name: "x", version: "0.0.0", startedAt: 0, draining: false };

describe("changes", () => {
  test("a change of one node takes effect at the others, and not at the node itself", () => {
    const { a, b, start, pass } = scene();
    const c = start("c");
    pass();
    for (const { done } of [a, b, c]) done.length = 0;
    a.announce({ users: ["ann"] });
    a.announce({ users: ["bob"], revoked: ["bob"] });
    a.announce({ agentKeys: ["k"] });
    a.announce({ sessions: ["s", "t"] });
    a.announce({ settings: true });
    pass();
    const wanted = ["users ann", "users bob", "revoked bob", "keys k", "sessions s t", "settings"];
    expect([a.done, b.done, c.done]).toEqual([[], wanted, wanted]);
  });

  test("nodes that meet take everything for changed, as neither knows what it missed", () => {
    const { cluster, a, b, pass } = scene();
    pass();
    expect([a.done, b.done]).toEqual([["all"], ["all"]]);
    cluster.part("a", "b");
    a.announce({ users: ["ann"] });
    pass();
    cluster.meet("a", "b");
    pass();
    expect([a.done, b.done]).toEqual([
      ["all", "all"],
      ["all", "all"],
    ]);
  });

  test("an empty or unknown frame changes nothing, and a very long one counts as a change of all", () => {
    const { done, targets } = recorder();
    const { frames } = createChanges({ send: () => true, sendAll: () => {} }, targets);
    const take = (fields: object) => frames.changed?.(FROM, { kind: "changed", ...fields });
    take({});
    take({ all: false, users: [] });
    expect(done).toEqual([]);
    const many = Array.from({ length: 1_001 }, (_, nth) => `${nth}`);
    for (const name of ["users", "revoked", "agent_keys", "sessions"]) take({ [name]: many });
    expect(done).toEqual(["all", "all", "all", "all"]);
  });

  test("a user who is named twice is looked up and ended once", () => {
    const { done, targets } = recorder();
    const { frames } = createChanges({ send: () => true, sendAll: () => {} }, targets);
    frames.changed?.(FROM, { kind: "changed", users: ["a", "a"], revoked: ["a", "b", "a"] });
    expect(done).toEqual(["users a b", "revoked a", "revoked b"]);
  });
});
