import { describe, expect, test } from "bun:test";
import { CLOSE } from "../../../src/protocol/close.ts";
import { settle } from "../../support/relay.ts";
import { createAgentCluster, ID, pass } from "./agent-cluster.ts";

async function setUp() {
  const cluster = createAgentCluster();
  const [a, b] = [cluster.add("a"), cluster.add("b")];
  const agent = a.connect();
  await pass(cluster.clock, 5);
  return { ...cluster, a, b, agent };
}

describe("an agent of another node", () => {
  test("an agent is disconnected, and both nodes know it", async () => {
    const { clock, a, b, agent } = await setUp();
    const disconnected = b.remote.disconnect(ID, { drain: false });
    await pass(clock, 5);
    expect(await disconnected).toBe("closed");
    expect(agent.closed).toEqual([CLOSE.disconnected]);
    expect([a.relay.stats().agents, b.directory.nodeOf(ID)]).toEqual([0, undefined]);
  });

  test("an agent that is to drain finishes its request first", async () => {
    const { clock, a, b, agent } = await setUp();
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content: "hi" };
    const origin = { requestId: "r", surface: "test" };
    const asked = a.relay.ask(
      { principal: { kind: "admin" }, work: { v1 }, origin },
      new AbortController().signal,
    );
    const draining = b.remote.disconnect(ID, { drain: true });
    await pass(clock, 5);
    expect([await draining, agent.closed]).toEqual(["draining", []]);
    agent.say({ id: agent.sent.at(-1)?.id, message: "", data: '{"content":"yes"}' });
    await settle();
    expect((await asked).answer).toMatchObject({ answer: { content: "yes" } });
    expect(agent.closed).toEqual([CLOSE.disconnected]);
  });

  test("the circuits of an agent are reset, of all models or of one", async () => {
    const { clock, b } = await setUp();
    const reset = Promise.all([b.remote.resetCircuits(ID), b.remote.resetCircuits(ID, "chatgpt")]);
    await pass(clock, 5);
    expect(await reset).toEqual([[], []]);
  });

  test("an agent is asked to update itself, which it must allow", async () => {
    const { clock, b } = await setUp();
    const asked = b.remote.askToUpdate(ID);
    await pass(clock, 5);
    expect(await asked).toBe("refused");
  });

  test("an agent that is not connected anywhere is not disconnected", async () => {
    const { b } = await setUp();
    expect(await b.remote.disconnect("unknown", { drain: false })).toBeUndefined();
    expect(await b.remote.resetCircuits("unknown")).toBeUndefined();
    expect(await b.remote.askToUpdate("unknown")).toBeUndefined();
  });

  test("an agent that has left when its node reads the frame is not disconnected", async () => {
    const { clock, b, agent } = await setUp();
    agent.connection.closed();
    const disconnected = b.remote.disconnect(ID, { drain: false });
    await pass(clock, 5);
    expect(await disconnected).toBeUndefined();
  });
});

describe("a node that does not answer", () => {
  test("an administrator waits for a second, and not longer", async () => {
    const { clock, b, hang } = await setUp();
    hang("a");
    const { remote } = b;
    const asked = [remote.disconnect(ID, { drain: false }), remote.resetCircuits(ID), remote.askToUpdate(ID)];
    const outcomes = asked.map((outcome) => outcome.catch(({ code }) => code));
    await pass(clock, 1_000);
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill("node_unanswered"));
  });

  test("an administrator waits no longer for a node that is lost", async () => {
    const { clock, b, hang, remove } = await setUp();
    hang("a");
    const outcome = b.remote.disconnect(ID, { drain: false }).catch(({ code }) => code);
    await pass(clock, 10);
    remove("a");
    expect(await outcome).toBe("node_unanswered");
  });
});
