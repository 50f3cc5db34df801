import { expect, test } from "bun:test";
import { ADMIN } from "../../src/principal.ts";
import { Relay } from "../../src/relay/relay.ts";
import type { AskRequest } from "../../src/relay/types.ts";
import { createFakeClock } from "../support/clock.ts";
import { LIMITS } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

test("however often agents change and leave, the queue is looked at once a turn", async () => {
  const turns: (() => void)[] = [];
  const relay = new Relay({
    ...{ clock: createFakeClock(), newId: () => crypto.randomUUID(), random: () => 0, limits: LIMITS },
    soon: (run) => turns.push(run),
  });
  const agents = ["a", "b", "c"].map((id) => joinAgent(relay, id, { protocol: "v2", models: [id] }));
  const request = (model: string): AskRequest => ({
    principal: ADMIN,
    work: { model, requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }] },
    origin: { requestId: "req", surface: "test" },
  });
  const asked = ["a", "b", "a", "b"].map((model) => {
    const result = relay.ask(request(model), new AbortController().signal);
    return result.then(
      () => "ok",
      (error) => error.code,
    );
  });
  expect(relay.stats().asks_waiting).toBe(2);
  const [one, two, three] = agents;
  for (let n = 0; n < 100; n++) {
    two?.link.pause();
    two?.link.update({ slots: 1 });
    three?.link.pause();
    three?.link.update({ slots: 1 });
  }
  one?.link.update({ models: [{ id: "other" }] });
  // One for the queue, and one for the updates that followed the first ones.
  expect(turns).toHaveLength(2);
  for (const turn of turns.splice(0)) turn();
  expect(turns).toHaveLength(1);
  turns.shift()?.();
  expect(await asked[2]).toBe("no_agent");

  // What changes nothing is not a reason to look.
  three?.link.update({ slots: 1, models: [{ id: "c" }] });
  three?.link.update({ slots: undefined, models: undefined });
  expect(turns).toHaveLength(0);
  // Nobody waits for what this one has.
  three?.link.pause();
  expect(turns).toHaveLength(0);
  two?.link.pause();
  two?.link.pause();
  expect(turns).toHaveLength(1);
  two?.link.gone();
  expect(turns).toHaveLength(1);
  relay.close();
  for (const turn of turns) turn();
  expect(await asked[3]).toBe("draining");
});

test("when the last agent of thousands of asks leaves, they end in several turns of the event loop", async () => {
  const turns: (() => void)[] = [];
  const relay = new Relay({
    ...{ clock: createFakeClock(), newId: () => crypto.randomUUID(), random: () => 0 },
    limits: { ...LIMITS, queueMax: 10_000, queueUserMax: 10_000, reconnectGraceMs: 0 },
    soon: (run) => turns.push(run),
  });
  const agent = joinAgent(relay, "a", { protocol: "v2" });
  const work = {
    model: "m",
    requests: [{ endpoint: "chat/completions", stream: true, body: () => "" }],
  } as const;
  let ended = 0;
  for (let n = 0; n < 2_501; n++)
    relay
      .ask(
        { principal: ADMIN, work, origin: { requestId: "r", surface: "test" } },
        new AbortController().signal,
      )
      .catch(() => ended++);
  agent.link.gone();
  const counts: number[] = [];
  while (turns.length > 0) {
    turns.shift()?.();
    counts.push(relay.stats().asks_waiting);
  }
  expect(counts).toEqual(Array.from({ length: 25 }, (_, turn) => 2_400 - 100 * turn));
  await Promise.resolve();
  expect(relay.stats().asks_running).toBe(0);
  expect(ended).toBeGreaterThan(0);
  relay.close();
});
