import { expect, test } from "bun:test";
import { ModelBook } from "../../../src/relay/offers/model-book.ts";
import { createRelayBench } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

const V2 = { protocol: "v2" } as const;
const named = (prefix: string, count = 1_000) =>
  Array.from({ length: count }, (_, index) => ({ id: `${prefix}-${index}` }));

test("an agent that keeps changing its models makes no model of another agent unknown", () => {
  const { relay, clock } = createRelayBench();
  const earlier = joinAgent(relay, "earlier", { ...V2, models: ["left"] });
  joinAgent(relay, "good", { ...V2, models: ["llama3.3"] });
  earlier.link.gone();
  clock.advance(1_000);
  const rogue = joinAgent(relay, "rogue", { ...V2, models: ["x", "left", "llama3.3"] });
  for (let round = 0; round < 30; round++) rogue.link.update({ models: named(`made-up-${round}`) });
  const known = () => ["llama3.3", "left", "made-up-29-999"].map((model) => relay.knowsModel(model));
  expect(known()).toEqual([true, true, true]);
  rogue.link.gone();
  expect(known()).toEqual([true, true, true]);
  expect(relay.knowsModel("made-up-0-0")).toBe(false);
  expect(relay.models()).toEqual([{ id: "llama3.3", owned_by: undefined, offeredAt: clock.now() - 1_000 }]);
});

test("all models that connected agents offer are known, however many there are", () => {
  const { relay } = createRelayBench();
  for (let agent = 0; agent < 12; agent++)
    joinAgent(relay, `${agent}`, { ...V2, models: named(`m${agent}`).map(({ id }) => id) });
  expect(relay.models().every(({ id, offeredAt }) => relay.knowsModel(id) && offeredAt > 0)).toBe(true);
  expect(relay.models()).toHaveLength(12_000);
  expect([relay.offersModel("m0-0"), relay.offersModel("m12-0")]).toEqual([true, false]);
});

test("a model stays offered until the last agent that offers it has left or changed its models", () => {
  const { relay } = createRelayBench();
  const [one, two] = ["1", "2"].map((id) => joinAgent(relay, id, { ...V2, models: ["m", "m"] }));
  one?.link.update({ models: [{ id: "other" }] });
  expect(relay.offersModel("m")).toBe(true);
  two?.link.gone();
  two?.link.update({ models: [{ id: "ghost" }] });
  expect([relay.offersModel("m"), relay.knowsModel("m"), relay.knowsModel("ghost")]).toEqual([
    false,
    true,
    false,
  ]);
});

test("the number of remembered models is bounded, and the agents with the most lose theirs", () => {
  const { relay } = createRelayBench();
  for (let agent = 0; agent < 30; agent++) {
    const models = agent === 0 ? ["only"] : named(`m${agent}`).map(({ id }) => id);
    joinAgent(relay, `${agent}`, { ...V2, models }).link.gone();
  }
  let known = 0;
  for (let agent = 1; agent < 30; agent++)
    for (const { id } of named(`m${agent}`)) if (relay.knowsModel(id)) known++;
  expect([relay.knowsModel("only"), known]).toEqual([true, 9_999]);
});

test("whether a v1 agent offers a model follows the agents that come, change their offer and leave", () => {
  const book = new ModelBook();
  const v1 = { id: "a", isV1: true };
  const v2 = { id: "b", isV1: false };
  const seen: boolean[] = [];
  const see = () => seen.push(book.isOfferedByV1("m"));
  book.add(v2, [{ id: "m" }], 0);
  see();
  book.add(v1, [{ id: "m" }], 0);
  see();
  book.remove(v2, [{ id: "m" }]);
  see();
  book.add(v1, [{ id: "other" }], 0);
  book.remove(v1, [{ id: "m" }]);
  see();
  expect(seen).toEqual([false, true, true, false]);
});
