import { expect, test } from "bun:test";
import { check, outcomeOf } from "./checker.ts";
import { type AgentEntry, answerOf, type CallerEntry, type FaultEntry, type Logs, pieceOf } from "./logs.ts";

const NODES = ["one", "two"];

function entryOf(changes: Partial<CallerEntry> = {}): CallerEntry {
  const ask = changes.ask ?? "ask-1";
  return {
    ask,
    streamed: true,
    beganAt: 1_000,
    endedAt: 1_100,
    sendings: [{ node: "one", at: 1_000, outcome: "answered" }],
    status: 200,
    text: answerOf(ask),
    ends: 1,
    error: undefined,
    isCut: false,
    ...changes,
  };
}

const rulesOf = (changes: Partial<Logs>) => {
  const logs: Logs = { nodes: NODES, callers: [], agents: [], faults: [], leftovers: [], ...changes };
  return check(logs).map(({ rule }) => rule);
};
const ofEntry = (changes: Partial<CallerEntry>, faults: FaultEntry[] = []) =>
  rulesOf({ callers: [entryOf(changes)], faults });

const pieces = (...indexes: number[]) => indexes.map((index) => pieceOf("ask-1", index)).join("");
const kill: FaultEntry = { kind: "kill", nodes: ["one"], from: 900, until: 2_000 };
const upgrade: FaultEntry = { ...kill, kind: "upgrade" };
const failed = { status: 502, text: "", ends: 0, error: "bad gateway" };
const begun: AgentEntry = {
  ...{ ask: "ask-1", agent: "a", node: "one", at: 1_000 },
  ...{ isAccepted: false, isDropped: false },
};
const brokenOff = { text: pieces(0, 1), ends: 0, isCut: true };

test("the checker accepts an answer that is whole", () => {
  expect(ofEntry({})).toEqual([]);
  expect(ofEntry({ streamed: false })).toEqual([]);
});

test.each<[string, Partial<CallerEntry>, string]>([
  ["an answer with another's id", { text: answerOf("ask-2") }, "wrong answer"],
  ["one piece of another", { text: pieces(0, 1) + pieceOf("ask-11", 2) + pieces(3, 4, 5) }, "wrong answer"],
  ["a stream with a gap", { text: pieces(0, 1, 3, 4, 5) }, "broken answer"],
  ["a stream with a repeated piece", { text: pieces(0, 1, 1, 2, 3, 4, 5) }, "broken answer"],
  ["pieces in another order", { text: pieces(0, 2, 1, 3, 4, 5) }, "broken answer"],
  ["an answer without its last piece", { text: pieces(0, 1, 2, 3, 4) }, "broken answer"],
  ["two answers in one", { text: answerOf("ask-1") + answerOf("ask-1") }, "broken answer"],
  ["two ends", { ends: 2 }, "two ends"],
  ["an error after the end", { error: "late" }, "two ends"],
  ["an ask without an outcome", { endedAt: undefined, status: undefined, text: "", ends: 0 }, "lost"],
])("the checker finds %s", (_, changes, rule) => {
  expect(ofEntry(changes)).toContain(rule as never);
});

test("the checker finds a gap in a stream that broke off", () => {
  expect(ofEntry({ ...brokenOff, text: pieces(0, 2) }, [kill])).toEqual(["broken answer"]);
});

test("an ask may fail before its first byte only if all nodes were away", () => {
  expect(outcomeOf(entryOf(failed))).toBe("failed");
  expect(ofEntry(failed)).toEqual(["failed needlessly"]);
  expect(ofEntry(failed, [kill])).toEqual(["failed needlessly"]);
  expect(ofEntry(failed, [kill, { ...kill, nodes: ["two"] }])).toEqual([]);
  const over: FaultEntry = { ...kill, nodes: NODES, until: 950 };
  expect(ofEntry(failed, [over])).toEqual(["failed needlessly"]);
});

test("an ask may fail before its first byte if its agent was lost after it had accepted", () => {
  const ofAgent = (changes: Partial<AgentEntry>) =>
    rulesOf({
      callers: [entryOf(failed)],
      agents: [{ ...begun, isAccepted: true, isDropped: true, ...changes }],
    });
  expect(ofAgent({})).toEqual([]);
  expect(ofAgent({ isAccepted: false })).toEqual(["failed needlessly"]);
  expect(ofAgent({ isDropped: false })).toEqual(["failed needlessly"]);
  expect(ofAgent({ ask: "ask-2" })).toEqual(["failed needlessly"]);
});

test("a stream may break off after a kill, but not after an upgrade, and not without a fault", () => {
  expect(outcomeOf(entryOf(brokenOff))).toBe("broke off");
  expect(outcomeOf(entryOf({ ...brokenOff, text: "" }))).toBe("broke off");
  expect(ofEntry(brokenOff)).toEqual(["broke off needlessly"]);
  expect(ofEntry(brokenOff, [upgrade])).toEqual(["broke off needlessly"]);
  expect(ofEntry(brokenOff, [kill])).toEqual([]);
  expect(ofEntry(brokenOff, [upgrade, kill])).toEqual([]);
});

test("an ask may be executed twice only after a fault", () => {
  const at = (time: number) => ({ ...begun, at: time });
  const twice = [at(1_000), at(1_050)];
  expect(rulesOf({ agents: [at(1_000), { ...at(1_000), ask: "ask-2" }] })).toEqual([]);
  expect(rulesOf({ agents: twice })).toEqual(["executed twice"]);
  expect(rulesOf({ agents: twice, faults: [upgrade] })).toEqual(["executed twice"]);
  expect(rulesOf({ agents: twice, faults: [kill] })).toEqual([]);
});

test("everything that a node has left over is reported", () => {
  const leftovers = [
    { node: "one", what: "slots in use", count: 1 },
    { node: "two", what: "timers", count: 2 },
  ];
  expect(check({ nodes: NODES, callers: [], agents: [], faults: [], leftovers })).toEqual([
    { rule: "left over", of: "one", detail: "1 slots in use" },
    { rule: "left over", of: "two", detail: "2 timers" },
  ]);
});
