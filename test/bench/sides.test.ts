import { afterAll, expect, test } from "bun:test";
import { completionOf, wishOf } from "./answers.ts";
import { oneLoad, rowsOf } from "./compare.ts";
import { chatExchange } from "./exchanges.ts";
import type { Load } from "./measure.ts";
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

function contextWith(workshop: object, numbers: Partial<Context> = {}): Context {
  return {
    ...{ workshop: workshop as Workshop, restarts: 2, rounds: 3, seconds: 0.01, warmUpSeconds: 0.01 },
    ...{ warmUpRequests: 1, idleAgents: 1, peers: new Map(), progress: () => {} },
    ...numbers,
  };
}

test("every side is started anew as often as asked, and its rounds are spread over the starts", async () => {
  const events: string[] = [];
  const context = contextWith({
    agents: { pid: process.pid },
    stopTargets: async () => void events.push("stop"),
  });
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
  expect(events).toEqual([...once, ...once]);
  expect(measured.rounds("value").length).toBe(3);
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

test("a side is warmed up until it has answered enough, and only once by a load that needs no more", async () => {
  const workshop = { agents: { pid: process.pid }, stopTargets: async () => {} };
  const context = contextWith(workshop, { restarts: 1, rounds: 1, warmUpSeconds: 600 });
  const rounds = { cold: new Set<number>(), warm: new Set<number>() };
  // In its first round, a load answers nothing.
  const load = (name: keyof typeof rounds, warmUpRequests: number): Load => ({
    ...{ callers: 1, warmUpRequests },
    async exchange({ exchange }, tally) {
      rounds[name].add(Math.floor(exchange / 1_000_000));
      await Bun.sleep(1);
      if (rounds[name].size > 1) tally().latenciesMs.push(1);
    },
  });
  await measureSides(context, {
    side: async () => ({ target, loads: { cold: load("cold", 1), warm: load("warm", 0) } }),
  });
  // The last round of each is the one that counts.
  expect([rounds.cold.size, rounds.warm.size]).toEqual([3, 2]);
});
