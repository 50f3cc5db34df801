import { expect, test } from "bun:test";
import { Agent } from "../../../src/relay/agent.ts";
import type { Requirement } from "../../../src/relay/routing/need.ts";
import { Needs } from "../../../src/relay/routing/needs.ts";

const TRANSPORT = {
  sentBytes: () => ({ total: 0, buffered: 0, read: 0 }),
  send: () => true,
  close: () => {},
};

function createNeeds(agents: number, modelsEach: number) {
  const needs = new Needs();
  for (let index = 0; index < agents; index++) {
    const models = Array.from({ length: modelsEach }, (_, nth) => ({ id: `m${index * modelsEach + nth}` }));
    const profile = { id: `agent-${index}`, name: "", address: "", protocol: "v2" } as const;
    needs.add(new Agent(profile, { slots: 1, models, endpoints: ["chat/completions"] }, TRANSPORT, 0), 0);
  }
  return needs;
}

function requirementOf(model: string | undefined): Requirement {
  const request = { endpoint: "chat/completions", stream: false, body: () => "" } as const;
  return { work: { model, requests: [request] }, tags: [], pin: undefined, isPreferred: false };
}

/** Looks up a need for each model, and returns how many of them are still known then. */
function countKept(needs: Needs, models: number): number {
  const first = Array.from({ length: models }, (_, index) => needs.get(requirementOf(`m${index}`), 0));
  return first.filter(({ places }) => [...places.values()].every((place) => isKnown(needs, place))).length;
}

const isKnown = (needs: Needs, place: Parameters<ReturnType<Needs["placesOf"]>["has"]>[0]): boolean =>
  needs.placesOf(place.agent).has(place);

test("the needs of many models are kept if each agent has a few of them", () => {
  expect(countKept(createNeeds(500, 1), 500)).toBe(500);
});

test("the needs that are kept are bounded, by their number and for each agent", () => {
  expect(countKept(createNeeds(3_000, 1), 3_000)).toBe(1_024);
  expect(countKept(createNeeds(1, 1_000), 1_000)).toBe(128);
});

test("needs with equal names in another order of the parts are not mistaken for each other", () => {
  const needs = createNeeds(1, 3);
  const { work } = requirementOf("m0");
  const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "" };
  const all: Requirement[] = [
    requirementOf("m0"),
    requirementOf(undefined),
    requirementOf(""),
    { ...requirementOf("m0"), work: { ...work, v1 } },
    { ...requirementOf("m0"), work: { ...work, models: ["m0"] } },
    { ...requirementOf("m0"), work: { ...work, models: ["m0", "m1"] } },
    { ...requirementOf("m0"), tags: [["a", "b"]] },
    { ...requirementOf("m0"), tags: [["a"], ["b"]] },
    { ...requirementOf("m0"), pin: "a" },
    { ...requirementOf("m0"), pin: "a", isPreferred: true },
    { ...requirementOf("m0"), tags: [["a"]], pin: "b" },
  ];
  const found = all.map((requirement) => needs.get(requirement, 0));
  expect(new Set(found).size).toBe(all.length);
  expect(all.map((requirement) => needs.get(copyOf(requirement), 0))).toEqual(found);
});

/** Returns an equal requirement that shares no list with the first. */
function copyOf({ work, tags, ...rest }: Requirement): Requirement {
  const { models, requests } = work;
  const copy = { ...work, models: models && [...models], requests: requests && [...requests] };
  return { ...rest, work: copy, tags: tags.map((list) => [...list]) };
}
