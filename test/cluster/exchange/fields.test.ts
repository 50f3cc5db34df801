import { expect, test } from "bun:test";
import type { AddedField } from "../../../src/protocol/added-fields.ts";
import type { ModelRequest } from "../../../src/relay/types.ts";
import { HELLO, register } from "../../agents/v2-scene.ts";
import { createExchangeScene } from "./exchange-scene.ts";

const REFUSAL = JSON.stringify({
  error: { message: "Unsupported parameter: 'stream_options'", param: "stream_options" },
});
const USER = JSON.stringify({ detail: [{ loc: ["body", "user"], msg: "Extra inputs are not permitted" }] });
const FIELDS: readonly AddedField[] = ["stream_options", "user"];

const REQUEST: ModelRequest = {
  ...{ endpoint: "chat/completions", stream: true, added: FIELDS },
  body: (model, refused) => [model, ...FIELDS.filter((name) => !refused.has(name))].join(),
};

/** Callers at one node, and a v2 agent at the other whose upstream refuses fields. */
async function setUp(request = REQUEST) {
  const scene = createExchangeScene();
  const [a, b] = [scene.add("a"), scene.add("b")];
  const agent = register({ ...scene, relay: b.relay } as never, { ...HELLO, slots: 4 });
  await scene.pass(50);
  const start = async () => {
    const asked = a.ask("q", { work: { model: "m", requests: [request] } });
    await scene.pass(20);
    return asked;
  };
  const bodies = () => agent.sent.flatMap((frame) => (frame.type === "ask" ? [frame.body] : []));
  const end = async (status: number, body = "{}") => {
    agent.say({ type: "done", ask: agent.last("ask").ask, status, body });
    await scene.pass(20);
  };
  return { ...scene, a, b, agent, start, bodies, end };
}

test("a field that the upstream of another node's agent refuses is taken back, without the caller seeing it", async () => {
  const { a, b, start, bodies, end } = await setUp();
  const { outcome } = await start();
  await end(400, REFUSAL);
  expect(bodies()).toEqual(["m,stream_options,user", "m,user"]);
  await end(400, USER);
  await end(200);
  expect([await outcome, bodies()]).toEqual(["200", ["m,stream_options,user", "m,user", "m"]]);
  expect(a.records).toMatchObject([{ tries: 1, outcome: "ok" }]);
  expect(b.relay.stats().slots_in_use).toBe(0);
});

test("the next ask is sent without the fields that are known to be refused, at once", async () => {
  const { a, start, bodies, end } = await setUp();
  await start();
  await end(400, REFUSAL);
  await end(200);
  await start();
  await end(200);
  expect(bodies()).toEqual(["m,stream_options,user", "m,user", "m,user"]);
  expect(a.frames("run").at(-1)?.what).toMatchObject({ body: "m,user", without: ["stream_options"] });
  expect(a.frames("again")).toHaveLength(1);
});

test("the home asks for another body first if only it knows what is refused", async () => {
  const { a, add, b, pass, start, bodies, end } = await setUp();
  await start();
  await end(400, REFUSAL);
  await end(200);
  const c = add("c");
  await pass(50);
  c.ask("q", { work: { model: "m", requests: [REQUEST] } });
  await pass(20);
  expect(bodies()).toEqual(["m,stream_options,user", "m,user", "m,user"]);
  expect([a.frames("again").length, c.frames("again").length, b.frames("refused").length]).toEqual([1, 1, 2]);
  await end(200);
});

test("the caller gets the refusal if the request is the same without the field", async () => {
  const { start, bodies, end, b } = await setUp({ ...REQUEST, body: () => "same" });
  const { result } = await start();
  await end(400, REFUSAL);
  expect((await result).answer).toMatchObject({ status: 400, body: REFUSAL });
  expect([bodies(), b.relay.stats().slots_in_use]).toEqual([["same"], 0]);
});

test("a refusal is forgotten at both ends when a request without the field is refused", async () => {
  const { a, start, bodies, end } = await setUp();
  await start();
  await end(400, REFUSAL);
  await end(200);
  const { result } = await start();
  await end(400, '{"error":{"message":"other"}}');
  expect((await result).answer).toMatchObject({ status: 400 });
  await start();
  await end(200);
  expect(bodies().at(-1)).toBe("m,stream_options,user");
  expect(a.frames("again")).toHaveLength(1);
});
