import { describe, expect, test } from "bun:test";
import { readNameList } from "../../../../src/dashboard/name-list.ts";
import {
  AGENT_ORDERS,
  agentRows,
  countByKey,
  freeName,
  stateOf,
} from "../../../../src/dashboard/pages/agents/agent-rows.ts";
import { createPollSchedule } from "../../../../src/dashboard/pages/agents/poll-schedule.ts";
import { agentOf } from "../../../support/dashboard-agents.ts";

describe("the state of an agent", () => {
  test("is what keeps it from work first, then what it does", () => {
    const label = (given: Parameters<typeof agentOf>[0]) => stateOf(agentOf(given)).label;
    expect(label({ draining: true, paused: true, in_use: 4 })).toBe("Draining");
    expect(label({ paused: true, in_use: 4 })).toBe("Paused");
    expect(label({ models: [], no_work_because: "it offers no model" })).toBe("No work");
    expect(label({ in_use: 4, no_work_because: "all its slots are in use" })).toBe("Full");
    expect(label({ in_use: 1 })).toBe("Working");
    expect(label({})).toBe("Ready");
  });

  test("has the server's reason as a sentence", () => {
    expect(
      stateOf(agentOf({ no_work_because: "nobody has lately asked for a model that it offers" })),
    ).toEqual({
      label: "No work",
      tone: "plain",
      because: "Nobody has lately asked for a model that it offers.",
    });
  });
});

describe("the list of agents", () => {
  const agents = [
    agentOf({ id: "1", name: "box 10", in_use: 1, since: "2026-11-23T08:00:00.000Z" }),
    agentOf({ id: "2", name: "Box 9", in_use: 4, since: "2026-11-23T10:00:00.000Z", key: "lab" }),
    agentOf({
      id: "3",
      name: "laptop",
      models: ["Qwen3:32b"],
      protocol: 1,
      version: null,
      since: "2026-11-23T09:00:00.000Z",
      last_heard: "2026-11-23T07:00:00.000Z",
      no_work_because: "it failed just now, and others are preferred",
    }),
  ];
  const ids = (search: string, order: Parameters<typeof agentRows>[2] = "name") =>
    agentRows(agents, search, order).map(({ id }) => id);

  test("has those in which every word of the search is found, in any case", () => {
    expect(ids("")).toEqual(["2", "1", "3"]);
    expect(ids("BOX")).toEqual(["2", "1"]);
    expect(ids("qwen")).toEqual(["3"]);
    expect(ids("box lab")).toEqual(["2"]);
    expect(ids("full")).toEqual(["2"]);
    expect(ids("failed")).toEqual(["3"]);
    expect(ids("protocol:1")).toEqual(["3"]);
    expect(ids("192.0.2.7 llama3.3")).toEqual(["2", "1"]);
    expect(ids("box qwen")).toEqual([]);
  });

  test("is in the order that was chosen", () => {
    expect(AGENT_ORDERS.map(({ value }) => ids("", value).join(""))).toEqual([
      "231",
      "213",
      "213",
      "312",
      "312",
    ]);
  });

  test("keeps the equal where they are, in whatever order they come", () => {
    const equal = ["c", "a", "b"].map((id) => agentOf({ id }));
    for (const { value } of AGENT_ORDERS) {
      expect(agentRows(equal, "", value).map(({ id }) => id)).toEqual(["a", "b", "c"]);
    }
  });

  test("counts the agents of each key", () => {
    expect(Object.fromEntries(countByKey([...agents, agentOf({ key: null })]))).toEqual({ main: 2, lab: 1 });
  });
});

test("a key's name is proposed that no other key has", () => {
  expect(freeName("ollama", new Set())).toBe("ollama");
  expect(freeName("ollama", new Set(["ollama", "ollama 2", "ollama 4"]))).toBe("ollama 3");
});

test("models are read from a list with commas or lines, each once, and an empty one means all", () => {
  expect(readNameList(" llama3.3, qwen3:32b\nphi-4,,llama3.3 ")).toEqual(["llama3.3", "qwen3:32b", "phi-4"]);
  expect(readNameList(" ,\n ")).toBeUndefined();
});

test("the list is asked for at most once a second as the figures change, and each five seconds as they do not", () => {
  let nowMs = 0;
  const pace = createPollSchedule(() => nowMs);
  expect(pace.isDue("a")).toBe(true);
  pace.asked("a");
  nowMs = 999;
  expect(pace.isDue("b")).toBe(false);
  nowMs = 1000;
  expect(pace.isDue("a")).toBe(false);
  expect(pace.isDue("b")).toBe(true);
  pace.asked("b");
  nowMs = 5999;
  expect(pace.isDue("b")).toBe(false);
  nowMs = 6000;
  expect(pace.isDue("b")).toBe(true);
});

test("a long list, which costs the server more, is asked for less often", () => {
  let nowMs = 0;
  const pace = createPollSchedule(() => nowMs);
  pace.asked("a");
  nowMs = 1000;
  expect(pace.isDue("b", 1000)).toBe(true);
  expect(pace.isDue("b", 3000)).toBe(false);
  nowMs = 3000;
  expect(pace.isDue("b", 3000)).toBe(true);
  expect(pace.isDue("b", 100_000)).toBe(false);
  nowMs = 5000;
  expect(pace.isDue("b", 100_000)).toBe(true);
});
