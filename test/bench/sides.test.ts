import { afterAll, expect, test } from "bun:test";
import { completionOf, wishOf } from "./answers.ts";
import { oneLoad, rowsOf } from "./compare.ts";
import { chatExchange } from "./exchanges.ts";
import type { Context } from "./scenario.ts";
import { measureSides } from "./sides.ts";
import type { Target, Workshop } from "./workshop.ts";

const server = Bun.serve({
  port: 0,
  async fetch(request) {
    const { messages } = (await request.json()) as { messages: { content: string }[] };
    return new Response(completionOf(wishOf(messages[0]?.content ?? "").id));
  },
});
afterAll(() => server.stop(true));

const target = {
  ...{
    port: server.port,
    pid: process.pid,
    beganAt: 0,
    adminKey: "k",
    data: "",
    helpers: { helper: process.pid },
  },
  ...{ emptyLog: () => {}, stop: async () => {} },
} as Target;

test("every side is started anew as often as asked, and its rounds are spread over the starts", async () => {
  const events: string[] = [];
  const workshop = {
    agents: { pid: process.pid },
    stopTargets: async () => void events.push("stop"),
  } as unknown as Workshop;
  const context: Context = {
    ...{ workshop, restarts: 3, rounds: 4, seconds: 0.01, warmUpSeconds: 0.01, warmUpRequests: 1 },
    ...{ idleAgents: 1, peers: new Map() },
  };
  const start = (name: string) => async () => {
    events.push(`start ${name}`);
    const end = () => void events.push(`end ${name}`);
    return { ...oneLoad(target, { callers: 1, exchange: chatExchange() }), end };
  };
  const measured = await measureSides(context, {
    base: start("base"),
    value: start("value"),
    again: start("again"),
  });
  const once = ["start base", "start value", "start again", "end base", "end value", "end again", "stop"];
  expect(events).toEqual([...once, ...once, ...once]);
  expect(measured.rounds("value").length).toBe(4);
  const [row] = rowsOf(measured, {
    scenario: "s",
    unit: "ask",
    metrics: ["perSecond"],
    base: "base",
    value: "value",
  });
  expect(row?.ratio?.median).toBeGreaterThan(0);
  expect(row?.same?.median).toBeGreaterThan(0);
  expect(Object.keys(measured.rounds("value")[0]?.helperMicros ?? {})).toEqual(["helper"]);
});
