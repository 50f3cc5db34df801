import { describe, expect, test } from "bun:test";
import { InProcessConnection } from "../../src/agents/in-process.ts";
import type { AgentFrame, ServerFrame } from "../../src/protocol/agent-v2.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { createRelayBench, settle } from "../support/relay.ts";
import { HELLO, optionsOf } from "./v2-scene.ts";

/** Links an agent that keeps what it receives. It may send frames that are not valid. */
function link(bench = createRelayBench()) {
  const received: ServerFrame[] = [];
  const closed: { code: number; reason: string }[] = [];
  const ended: string[] = [];
  const connection = new InProcessConnection(
    optionsOf(bench),
    {
      key: undefined,
      address: "127.0.0.1",
      lease: { identified: () => ended.push("identified"), end: () => ended.push("end") },
      transport: "in-process",
    },
    {
      receive: (frame) => void received.push(frame),
      receivePiece: () => {},
      closed: (code, reason) => void closed.push({ code, reason }),
    },
    () => void ended.push("closed"),
  );
  const say = (frame: object) => connection.link.send(frame as AgentFrame);
  return { ...bench, connection, received, closed, ended, say };
}

function register(bench?: ReturnType<typeof createRelayBench>) {
  const agent = link(bench);
  agent.say(HELLO);
  return agent;
}

async function registerWithAsk() {
  const agent = register();
  const deltas: string[] = [];
  const asked = agent.ask("q", { model: "m", onDelta: ({ data }) => deltas.push(data) });
  await settle();
  const frame = agent.received.findLast(({ type }) => type === "ask") as Extract<
    ServerFrame,
    { type: "ask" }
  >;
  return { ...agent, asked, deltas, ask: frame.ask };
}

describe("a connection within the process", () => {
  test("the hello is answered with an identity before the first ask is sent", async () => {
    const bench = createRelayBench();
    register(bench).connection.link.close();
    const asked = bench.ask("q", { model: "m" });
    const { received, ended } = register(bench);
    await settle();
    expect(received.map(({ type }) => type)).toEqual(["ready", "ask"]);
    expect(received[0]).toMatchObject({ limits: { frame_bytes: 1000, silence_ms: 60_000 } });
    expect(ended).toEqual(["identified"]);
    bench.relay.close();
    expect(await asked).toBe("draining");
  });

  test.each<[object, string]>([
    [{ ...HELLO, slots: 0 }, "invalid hello: slots: expected at least 1"],
    [{ type: "pong" }, "invalid hello: the first frame must be a hello"],
  ])("the hello %j closes the connection", (hello, reason) => {
    const { say, closed, relay, clock, ended } = link();
    say(hello);
    expect(closed).toEqual([{ code: 4501, reason }]);
    expect([relay.stats().agents, clock.pending()]).toEqual([0, 0]);
    expect(ended).toEqual(["end", "closed"]);
  });

  test("an agent that says no hello in time is closed", () => {
    const { clock, closed } = link();
    clock.advance(10_000);
    expect(closed).toEqual([CLOSE.hello_missing]);
  });

  test("deltas and the end of an answer reach the caller in order", async () => {
    const { say, ask, asked, deltas } = await registerWithAsk();
    say({ type: "accept", ask });
    say({ type: "delta", ask, data: '{"a":1}' });
    say({ type: "delta", ask, data: "two", event: "named" });
    say({ type: "done", ask, status: 200 });
    expect(await asked).toBe("200");
    expect(deltas).toEqual(['{"a":1}', "two"]);
  });

  test("an event name with a line break closes the connection, as it could begin further events", async () => {
    const { say, ask, asked, closed, relay } = await registerWithAsk();
    say({ type: "delta", ask, data: "{}", event: "a\ndata: b" });
    expect(closed).toEqual([
      { code: 4006, reason: "invalid frame: delta.event: must not have a line break" },
    ]);
    expect(relay.stats().agents).toBe(0);
    relay.close();
    expect(await asked).toBe("draining");
  });

  test("an answer that is nested too deeply fails its ask only", async () => {
    const { say, ask, asked, closed } = await registerWithAsk();
    say({ type: "done", ask, status: 200, body: `{"a":${"[".repeat(300)}${"]".repeat(300)}}` });
    expect(await asked).toBe("agent_answer_invalid");
    expect(closed).toEqual([]);
  });

  test("a count that cannot be right and an unknown field are left out", async () => {
    const agent = register();
    const asked = agent.askWhole("q", { model: "m" });
    await settle();
    const { ask } = agent.received.at(-1) as { ask: string };
    agent.say({ type: "done", ask, status: 200, body: "{}", usage: { prompt_tokens: -1 }, more: 1 });
    expect((await asked).answer).toEqual({ kind: "model", status: 200, body: "{}", usage: undefined });
  });

  test("a frame is measured in bytes, and one that is too large is not taken", async () => {
    const { say, ask, asked, deltas } = await registerWithAsk();
    expect(say({ type: "delta", ask, data: "語".repeat(334) })).toBe(false);
    expect(say({ type: "done", ask, status: 200, body: "x".repeat(1001) })).toBe(false);
    expect(say({ type: "fail", ask, retryable: false, error: { message: "x".repeat(1001) } })).toBe(false);
    expect(say({ type: "delta", ask, data: "語".repeat(333) })).toBe(true);
    expect(say({ type: "done", ask, status: 200 })).toBe(true);
    expect(await asked).toBe("200");
    expect(deltas).toEqual(["語".repeat(333)]);
  });

  test("a caller who leaves cancels the ask, and a late delta is for nobody", async () => {
    const agent = register();
    const caller = new AbortController();
    const asked = agent.ask("q", { model: "m", signal: caller.signal });
    await settle();
    const { ask } = agent.received.at(-1) as { ask: string };
    caller.abort();
    expect(agent.received.at(-1)).toEqual({ type: "cancel", ask });
    agent.say({ type: "delta", ask, data: "late" });
    expect(await asked).toBe("caller_gone");
    expect(agent.relay.stats().frames_ignored).toBe(1);
  });

  test("an update changes the offer, a pause keeps asks away, and the agent hears of a drain", async () => {
    const { say, relay, received, connection } = register();
    say({ type: "update", models: [{ id: "other" }] });
    expect(relay.models().map(({ id }) => id)).toEqual(["other"]);
    say({ type: "pause" });
    expect(relay.capacity()).toMatchObject({ available: 0 });
    connection.announceDrain(2_000);
    expect(received.at(-1)).toEqual({ type: "drain", reconnect_ms: 2_000 });
  });

  test("when either side closes, the other hears nothing more, and the lease ends", async () => {
    const left = await registerWithAsk();
    left.connection.link.close();
    expect(left.relay.stats().agents).toBe(0);
    expect(left.closed).toEqual([]);
    left.connection.announceDrain(1);
    expect(left.received.at(-1)?.type).toBe("ask");
    const closed = register();
    closed.relay.close();
    expect(closed.closed).toEqual([CLOSE.server_draining]);
    expect(closed.say({ type: "pong" })).toBe(true);
    expect(closed.ended).toEqual(["identified", "end", "closed"]);
    left.relay.close();
    await left.asked;
  });
});
