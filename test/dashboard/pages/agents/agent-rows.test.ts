import { expect, test } from "bun:test";
import {
  AGENT_ORDERS,
  agentRows,
  countByKey,
  freeName,
  stateOf,
} from "../../../../src/dashboard/pages/agents/agent-rows.ts";
import { agentOf } from "../../../support/dashboard-agents.ts";

test("an agent's state is what keeps it from work or, if nothing does, what it is doing", () => {
  const label = (given: Parameters<typeof agentOf>[0]) => stateOf(agentOf(given)).label;
  expect(label({ draining: true, paused: true, in_use: 4 })).toBe("Draining");
  expect(label({ paused: true, in_use: 4 })).toBe("Paused");
  expect(label({ models: [], no_work_because: "The agent offers no models." })).toBe("No models");
  expect(label({ in_use: 4, no_work_because: "All its slots are in use." })).toBe("Full");
  expect(label({ in_use: 1 })).toBe("Working");
  expect(label({})).toBe("Ready");
});

test("the server's reason why an agent gets no requests is shown", () => {
  expect(stateOf(agentOf({ no_work_because: "There were no recent requests for its models." }))).toEqual({
    label: "Idle",
    tone: "plain",
    reason: "There were no recent requests for its models.",
  });
});

test("an agent that gets no requests for a model is shown as failing, with the reason", () => {
  const time = "2026-11-23T09:00:00.000Z";
  const reason = "the upstream responded with status 503";
  const circuit = { model: "m", failures: 3, reason, failed_at: time, retry_at: time };
  const failing = (state: "closed" | "open" | "half_open", given = {}) =>
    stateOf(agentOf({ circuits: [{ ...circuit, state }], ...given }));
  expect(failing("open")).toEqual({
    label: "Failing",
    tone: "bad",
    reason: "No requests for m: the upstream responded with status 503.",
  });
  expect(failing("half_open", { no_work_because: "The agent …" })).toMatchObject({ reason: "The agent …" });
  expect(failing("closed").label).toBe("Ready");
});

test("an agent that fails most of its latest requests is shown as failing, with the last error and since when", () => {
  const at = "2026-11-23T09:00:00.000Z";
  const recent = { requests: 20, failed: 20, first_byte_ms: null, is_slow: false };
  const last_error = { reason: "CUDA out of memory", at };
  const failing = { recent: { ...recent, failing_since: at, last_error } };
  const { label, tone, reason } = stateOf(agentOf(failing));
  expect([label, tone]).toEqual(["Failing", "bad"]);
  expect(reason).toMatch(
    /^20 of the last 20 requests failed, since 2026-.+ The last error: CUDA out of memory\.$/,
  );
  expect(stateOf(agentOf({ ...failing, paused: true })).label).toBe("Paused");
  expect(stateOf(agentOf({ recent: { ...failing.recent, failing_since: null } })).label).toBe("Ready");
});

test("an agent whose answers take long to begin is shown as slow", () => {
  const recent = { requests: 5, failed: 0, failing_since: null, last_error: null, is_slow: true };
  expect(stateOf(agentOf({ recent: { ...recent, first_byte_ms: 31_000 }, in_use: 4 }))).toEqual({
    label: "Slow",
    tone: "warn",
    reason: "Half of its latest answers took longer than 31 s to begin.",
  });
  expect(stateOf(agentOf({ recent: { ...recent, first_byte_ms: null } })).reason).toContain(
    "not answered a ping",
  );
});

const agents = [
  agentOf({ id: "1", name: "box 10", in_use: 1, since: "2026-11-23T08:00:00.000Z" }),
  agentOf({ id: "2", name: "Box 9", in_use: 4, since: "2026-11-23T10:00:00.000Z", key: "lab" }),
  agentOf({
    id: "3",
    name: "laptop",
    models: ["Qwen3:32b"],
    protocol: "v1",
    version: null,
    since: "2026-11-23T09:00:00.000Z",
    last_heard: "2026-11-23T07:00:00.000Z",
    no_work_because: "The agent has just failed, so other agents are preferred.",
  }),
];
const ids = (search: string, order: Parameters<typeof agentRows>[2] = "name") =>
  agentRows(agents, search, order).map(({ id }) => id);

test("the search finds the agents that contain every word, in any case", () => {
  expect(ids("")).toEqual(["2", "1", "3"]);
  expect(ids("BOX")).toEqual(["2", "1"]);
  expect(ids("qwen")).toEqual(["3"]);
  expect(ids("box lab")).toEqual(["2"]);
  expect(ids("full")).toEqual(["2"]);
  expect(ids("failed")).toEqual(["3"]);
  expect(ids("protocol:v1")).toEqual(["3"]);
  expect(ids("192.0.2.7 llama3.3")).toEqual(["2", "1"]);
  expect(ids("box qwen")).toEqual([]);
});

test("the agents are sorted in the chosen order", () => {
  expect(AGENT_ORDERS.map(({ value }) => ids("", value).join(""))).toEqual([
    "231",
    "213",
    "213",
    "312",
    "312",
  ]);
});

test("agents that compare equal are sorted by their ids in every order", () => {
  const equal = ["c", "a", "b"].map((id) => agentOf({ id }));
  for (const { value } of AGENT_ORDERS) {
    expect(agentRows(equal, "", value).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  }
});

test("agents are counted by key, without those that have none", () => {
  expect(Object.fromEntries(countByKey([...agents, agentOf({ key: null })]))).toEqual({ main: 2, lab: 1 });
});

test("the suggested name for a key is one that no other key has", () => {
  expect(freeName("ollama", new Set())).toBe("ollama");
  expect(freeName("ollama", new Set(["ollama", "ollama 2", "ollama 4"]))).toBe("ollama 3");
});
