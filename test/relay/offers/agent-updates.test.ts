import { expect, test } from "bun:test";
import { ADMIN } from "../../../src/principal.ts";
import { Relay } from "../../../src/relay/relay.ts";
import type { Answer } from "../../../src/relay/types.ts";
import { createFakeClock } from "../../support/clock.ts";
import { LIMITS } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

function createScene() {
  const turns: (() => void)[] = [];
  const relay = new Relay({
    ...{ clock: createFakeClock(), newId: () => crypto.randomUUID(), random: () => 0, limits: LIMITS },
    soon: (run) => turns.push(run),
  });
  const { link } = joinAgent(relay, "a", { protocol: "v2", models: ["first"] });
  const [agent] = relay.agents();
  if (!agent) throw new Error("The agent was not let in.");
  const endTurn = () => {
    for (const run of turns.splice(0)) run();
  };
  return { relay, agent, link, endTurn };
}

const named = (id: string) => ({ models: [{ id }] });

test("the first of a thousand updates in a turn is applied at once, and the last at the end", () => {
  const { relay, agent, link, endTurn } = createScene();
  const offered: string[] = [];
  for (let index = 0; index < 1_000; index++) {
    link.update({ ...named(`model-${index}`), slots: index === 500 ? 7 : undefined });
    for (const { id } of agent.offer.models) if (offered.at(-1) !== id) offered.push(id);
  }
  expect(offered).toEqual(["model-0"]);
  endTurn();
  expect(agent.offer).toMatchObject({ slots: 7, ...named("model-999") });
  expect(relay.offersModel("model-998")).toBe(false);
  expect(relay.knowsModel("model-998")).toBe(false);

  link.update(named("next"));
  expect(agent.offer).toMatchObject(named("next"));
});

test("a pause holds though updates of the same turn came before it", () => {
  const { agent, link, endTurn } = createScene();
  link.update(named("one"));
  link.update(named("two"));
  link.pause();
  expect(agent.offer).toMatchObject(named("two"));
  endTurn();
  expect(agent.takesWork).toBe(false);
});

test("an update ends the pause that came before it in the same turn", () => {
  const { agent, link, endTurn } = createScene();
  link.update(named("one"));
  link.pause();
  link.update({});
  endTurn();
  expect(agent.takesWork).toBe(true);
});

test("a preference among the updates of a turn is the last one, and does not end a pause", () => {
  const { relay, agent, link, endTurn } = createScene();
  link.update(named("one"));
  link.pause();
  for (const priority of [1, 2, 3]) relay.prefer(agent, { priority, weight: 1, tags: [] });
  endTurn();
  expect(agent.preference.priority).toBe(3);
  expect(agent.takesWork).toBe(false);
});

test("updates that were put off to the end of the turn are harmless once their agent has left", () => {
  const { relay, link, endTurn } = createScene();
  link.update(named("one"));
  link.update(named("two"));
  link.gone();
  endTurn();
  expect(relay.offersModel("two")).toBe(false);
  expect(relay.stats().agents).toBe(0);
});

function askFor(relay: Relay, model: string): Promise<string> {
  const work = { model, requests: [{ endpoint: "chat/completions", stream: true, body: () => "" } as const] };
  const request = { principal: ADMIN, work, origin: { requestId: "req", surface: "test" } } as const;
  return relay.ask(request, new AbortController().signal).then(
    () => "answered",
    (error) => error.code,
  );
}

const ANSWER: Answer = { kind: "model", status: 200, body: "{}", usage: undefined };

test("an agent that has removed a model before its answer in the same turn gets no ask for the model", async () => {
  const { relay, agent, link, endTurn } = createScene();
  link.update({ models: [{ id: "first" }, { id: "second" }], slots: 1 });
  joinAgent(relay, "b", { protocol: "v2", models: ["second"], slots: 1 });
  endTurn();
  const answered = askFor(relay, "first");
  void askFor(relay, "second");
  void askFor(relay, "second");
  expect(relay.stats().asks_waiting).toBe(1);
  const [slot = ""] = agent.inUse.keys();
  relay.prefer(agent, { priority: 3, weight: 1, tags: [] });
  link.update(named("first"));
  relay.done(agent, slot, ANSWER);
  expect(await answered).toBe("answered");
  expect(agent.inUse.size).toBe(0);
  endTurn();
  expect(relay.stats().asks_waiting).toBe(1);
});

test("a new ask goes by the last of the updates that came before it in the same turn", () => {
  const { relay, agent, link, endTurn } = createScene();
  link.update({ slots: 3 });
  link.update(named("second"));
  void askFor(relay, "first");
  expect(agent.inUse.size).toBe(0);
  void askFor(relay, "second");
  expect(agent.inUse.size).toBe(1);
  endTurn();
});

test("an ask waits on if its model is removed and added in one turn", () => {
  const { relay, link, endTurn } = createScene();
  link.update({ slots: 1 });
  endTurn();
  void askFor(relay, "first");
  void askFor(relay, "first");
  expect(relay.stats().asks_waiting).toBe(1);
  link.update({ models: [] });
  link.update(named("first"));
  endTurn();
  expect(relay.stats().asks_waiting).toBe(1);
});
