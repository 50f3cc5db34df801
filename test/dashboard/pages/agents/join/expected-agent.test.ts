import { expect, test } from "bun:test";
import { arrivedAgents } from "../../../../../src/dashboard/pages/agents/join/expected-agent.ts";
import { agentOf } from "../../../../support/dashboard-agents.ts";

const connected = [
  agentOf({ id: "1", key: "main" }),
  agentOf({ id: "2", key: null }),
  agentOf({ id: "3", key: "ollama" }),
];
const idsOf = (agents: typeof connected) => agents.map(({ id }) => id);

test("an agent with a new key is recognized by that key", () => {
  expect(idsOf(arrivedAgents(connected, { keyName: "ollama", before: new Set() }))).toEqual(["3"]);
});

test("an agent without a key is recognized if it has no key and was not connected before", () => {
  expect(idsOf(arrivedAgents(connected, { keyName: null, before: new Set() }))).toEqual(["2"]);
  expect(idsOf(arrivedAgents(connected, { keyName: null, before: new Set(["1", "2"]) }))).toEqual([]);
});

test("an agent with an existing key is recognized if it was not connected before", () => {
  expect(idsOf(arrivedAgents(connected, { keyName: undefined, before: new Set(["1", "2"]) }))).toEqual(["3"]);
});
