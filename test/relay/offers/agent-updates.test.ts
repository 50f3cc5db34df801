import { expect, test } from "bun:test";
import { Relay } from "../../../src/relay/relay.ts";
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
