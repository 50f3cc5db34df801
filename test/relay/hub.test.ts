import { expect, test } from "bun:test";
import { Agent } from "../../src/relay/agent.ts";
import { Hub } from "../../src/relay/hub.ts";
import { Slot } from "../../src/relay/slot.ts";

const AGENTS = 10_000;
const NOTHING = { total: 0, buffered: 0, read: 0 };

function createAgent(id: string): Agent {
  const profile = { id, name: id, address: "", protocol: "v1" as const };
  const offer = { slots: 1, models: [{ id: "m" }], endpoints: [] };
  return new Agent(profile, offer, { send: () => true, close() {}, sentBytes: () => NOTHING }, 0);
}

function createHub(count: number): { hub: Hub; agents: Agent[] } {
  const hub = new Hub();
  const agents = Array.from({ length: count }, (_, index) => createAgent(`a${index}`));
  for (const agent of agents) hub.add(agent);
  return { hub, agents };
}

test("stale agents are not looked at again until they are heard", () => {
  const { hub, agents } = createHub(AGENTS);
  const [last] = agents.slice(-1);
  if (last) hub.heard(last, 1);
  let looks = 0;
  const isFresh = (agent: Agent) => {
    looks++;
    if (agent.lastHeardAt > 0) return true;
    hub.setStale(agent);
    return false;
  };
  expect(hub.choose(isFresh)).toBe(last);
  expect(looks).toBe(AGENTS);
  for (let choice = 0; choice < 100; choice++) expect(hub.choose(isFresh)).toBe(last);
  expect(looks).toBe(AGENTS + 100);
});

test("the agent that has been stale the longest is pinged first, and once heard is chosen before other used agents", () => {
  const { hub, agents } = createHub(3);
  const [first, second, third] = agents as [Agent, Agent, Agent];
  const any = () => true;
  for (const agent of agents) {
    agent.sentAt = 0;
    hub.occupy(agent, "s", new Slot(undefined, undefined, "m", () => {}));
    hub.release(agent, "s");
  }
  hub.setStale(second);
  hub.setStale(first);
  expect(hub.chooseStale(any)).toBe(second);
  expect(hub.choose(any)).toBe(third);
  hub.heard(second, 1);
  expect(hub.chooseStale(any)).toBe(first);
  expect(hub.choose(any)).toBe(second);
});

test("an agent that left, or has no room, is neither chosen nor pinged", () => {
  const { hub, agents } = createHub(2);
  const [first, second] = agents as [Agent, Agent];
  for (const agent of agents) hub.setStale(agent);
  hub.remove(first, undefined, 0);
  hub.pause(second);
  for (const agent of agents) hub.heard(agent, 1);
  expect(hub.choose(() => true)).toBeUndefined();
  expect(hub.chooseStale(() => true)).toBeUndefined();
  hub.changeOffer(second, {}, 2);
  expect(hub.choose(() => true)).toBe(second);
});
