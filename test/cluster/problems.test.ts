import { expect, test } from "bun:test";
import { ClusterProblems } from "../../src/cluster/problems.ts";
import { NodeProblems, PROBLEMS_MAX } from "../../src/protocol/node/problems.ts";
import { failing, ofServer } from "../alerts/problems.ts";
import { createFakeClock } from "../support/clock.ts";
import { createMemoryCluster } from "./memory-link.ts";

/** Nodes that start one after another. `events` has what each learns of the others. */
function scene(...names: string[]) {
  const clock = createFakeClock();
  const cluster = createMemoryCluster(clock);
  const events: string[] = [];
  const add = (name: string) => {
    let problems: ClusterProblems | undefined;
    clock.advance(1_000);
    cluster.add(name, (link) => {
      problems = new ClusterProblems({
        link,
        joined: (other, others) => events.push(`${name}: ${other} joined, ${others}`),
        lost: (other, others) => events.push(`${name}: ${other} lost, ${others}`),
      });
      return [problems];
    });
    return problems as ClusterProblems;
  };
  return { clock, cluster, events, add, nodes: names.map(add) };
}

test("each node knows the problems of all, also one that joins later, and forgets those of a lost node", () => {
  const { clock, cluster, add, events, nodes } = scene("a", "b");
  const [a, b] = nodes as [ClusterProblems, ClusterProblems];
  a.publish([failing("gpu-1")]);
  clock.advance(10);
  expect(b.others()).toEqual([failing("gpu-1")]);
  expect(a.others()).toEqual([]);
  const c = add("c");
  clock.advance(10);
  expect(c.others()).toEqual([failing("gpu-1")]);
  events.length = 0;
  cluster.part("a", "b");
  expect(b.others()).toEqual([]);
  expect(events).toEqual(["a: b lost, 1", "b: a lost, 1"]);
  a.publish([]);
  clock.advance(10);
  expect(c.others()).toEqual([]);
});

test("nothing is sent while nothing changes", () => {
  const { clock, nodes } = scene("a", "b");
  const [a] = nodes as [ClusterProblems];
  clock.advance(10);
  a.publish([failing("gpu-1")]);
  clock.advance(10);
  a.publish([failing("gpu-1")]);
  expect(clock.pending()).toBe(0);
  a.publish([]);
  expect(clock.pending()).toBe(1);
});

test("the node that has run for longest sends the messages, so one that joins tells nothing again", () => {
  const { add, nodes, cluster } = scene("z", "b");
  const senders = (all: readonly ClusterProblems[]) => all.map(({ isSender }) => isSender);
  expect(senders(nodes)).toEqual([true, false]);
  const all = [...nodes, add("a")];
  expect(senders(all)).toEqual([true, false, false]);
  cluster.part("z", "b");
  cluster.part("z", "a");
  expect(senders(all)).toEqual([true, true, false]);
});

test("problems of a kind that this version does not know are left out, and a list is bounded", () => {
  const known = ofServer("disk_low", { details: { free_bytes: 7 } });
  const given = [known, { ...known, code: "of_tomorrow" }, "nonsense", { ...known, since: -1 }];
  expect(NodeProblems.parse(given)).toEqual([known]);
  const newer = { ...known, details: { ...known.details, of_tomorrow: 1 } };
  expect(NodeProblems.parse([newer])).toEqual([known]);
  expect(NodeProblems.safeParse(Array(PROBLEMS_MAX + 1).fill(known)).success).toBe(false);
  const long = { ...known, details: { reason: "x".repeat(301) } };
  expect(NodeProblems.parse([long])).toEqual([]);
});
