import { expect, test } from "bun:test";
import { ADMIN } from "../../../src/principal.ts";
import { Relay } from "../../../src/relay/relay.ts";
import { createFakeClock } from "../../support/clock.ts";
import { LIMITS } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

test("the asks of one user for two models have their turns in the order in which they came", () => {
  const relay = new Relay({
    ...{ clock: createFakeClock(), newId: () => crypto.randomUUID(), random: () => 0, limits: LIMITS },
  });
  joinAgent(relay, "a", { protocol: "v2", models: ["one", "two"], slots: 1 });
  const [agent] = relay.agents();
  if (!agent) throw new Error("The agent was not let in.");
  const ask = (model: string) => {
    const work = {
      model,
      requests: [{ endpoint: "chat/completions", stream: true, body: () => "" } as const],
    };
    const origin = { requestId: "req", surface: "test" };
    void relay.ask({ principal: ADMIN, work, origin }, new AbortController().signal).catch(() => {});
  };
  for (const model of ["one", "one", "two"]) ask(model);
  const sent: string[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const [[id, slot] = []] = agent.inUse;
    if (id === undefined || !slot) throw new Error("The agent got no ask.");
    sent.push(slot.model);
    // The queue is never empty: who is answered asks again.
    ask(slot.model);
    relay.done(agent, id, { kind: "model", status: 200, body: "{}", usage: undefined });
  }
  expect(sent).toEqual(["one", "one", "two", "one", "one", "two", "one", "one"]);
});
