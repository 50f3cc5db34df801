import { describe, expect, test } from "bun:test";
import { V1Connection } from "../../src/agents/v1.ts";
import type { AgentKey } from "../../src/auth/agent-keys.ts";
import type { V1ServerFrame } from "../../src/protocol/agent-v1.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { agentKeyOf } from "../support/agent-key.ts";
import { createRelayBench, peek, settle } from "../support/relay.ts";
import { createFakeSocket, UNLIMITED } from "./fake-socket.ts";

const ID = "6c1f6f0e-4a4e-4f4e-9a55-0d6a7c1b2a3d";

const MAIN_KEY = agentKeyOf({});

function connect(
  bench = createRelayBench(),
  { address = "127.0.0.1", key = undefined as AgentKey | undefined } = {},
) {
  const { socket, sent, closed } = createFakeSocket<V1ServerFrame>();
  let ids = 0;
  const connection = new V1Connection(
    {
      relay: bench.relay,
      clock: bench.clock,
      newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
      helloWithinMs: 10_000,
      v1Model: "chatgpt",
    },
    { address, key, lease: UNLIMITED, transport: "websocket" },
  );
  connection.open(socket);
  const say = (frame: unknown) =>
    connection.receive(typeof frame === "string" ? frame : JSON.stringify(frame));
  const hello = (id = ID) => say({ id, message: "Connection id", data: "" });
  const last = () => sent.at(-1) as V1ServerFrame;
  return { ...bench, connection, sent, closed, say, hello, last };
}

describe("the hello", () => {
  test("the server sends the first frame, with a new id, and registers the agent with the id in its answer", () => {
    const { sent, hello, relay } = connect();
    expect(sent).toEqual([
      { id: "00000000-0000-4000-8000-000000000001", message: "Connection id", data: "" },
    ]);
    expect(relay.stats().agents).toBe(0);
    hello();
    expect([...relay.agents()].map(({ id }) => id)).toEqual([ID]);
    expect(sent.length).toBe(1);
  });

  test.each([["not JSON"], ["{}"], ['{"id":""}'], ['{"id":"my name"}'], ['{"id":7}'], ["null"], ["[]"]])(
    "the hello %s is refused because it has no UUID",
    (text) => {
      const { say, closed, relay } = connect();
      say(text);
      expect(closed).toEqual([CLOSE.hello_id_invalid]);
      expect(relay.stats().agents).toBe(0);
    },
  );

  test("an agent that does not say hello in time is closed, and leaves nothing behind", () => {
    const { clock, closed, hello, relay } = connect();
    clock.advance(10_000);
    expect(closed).toEqual([CLOSE.hello_missing]);
    hello();
    expect(relay.stats().agents).toBe(0);
    expect(clock.pending()).toBe(0);
  });

  test("an id in use from another address is refused, and the agent that has it stays connected", () => {
    const bench = createRelayBench();
    const holder = connect(bench);
    holder.hello();
    const thief = connect(bench, { address: "10.0.0.9" });
    thief.hello();
    expect([holder.closed, thief.closed]).toEqual([[], [CLOSE.id_in_use]]);
    const keyed = connect(bench, { key: MAIN_KEY });
    keyed.hello();
    expect([holder.closed, keyed.closed]).toEqual([[], [CLOSE.id_in_use]]);
  });

  test("an id passes to a newcomer with the main key from any address, and never to one without a key", () => {
    const bench = createRelayBench();
    const holder = connect(bench, { key: MAIN_KEY });
    holder.hello();
    const keyless = connect(bench);
    keyless.hello();
    expect([holder.closed, keyless.closed]).toEqual([[], [CLOSE.id_in_use]]);
    const owner = connect(bench, { address: "10.0.0.9", key: MAIN_KEY });
    owner.hello();
    expect([holder.closed, owner.closed]).toEqual([[CLOSE.replaced], []]);
  });
});

describe("an ask", () => {
  test("a request has the reference's field names in the reference's order", () => {
    const { ask, hello, last } = connect();
    hello();
    void ask("hi <b>");
    expect(Object.keys(last())).toEqual(["id", "message", "data"]);
    expect(last().message).toBe("ChatGptRequest");
    expect(last().data).toBe('{"message_id":"","conversation_id":"","parent_id":"","content":"hi <b>"}');
  });

  test("an answer may have missing, additional and null fields: the caller gets five strings", async () => {
    const { askWhole, hello, say, last } = connect();
    hello();
    const asked = askWhole("q");
    say({ id: last().id, message: "whatever", more: 1, data: '{"content":"yes","error":null,"extra":{}}' });
    const answer = { id: "", response_id: "", conversation_id: "", content: "yes", error: "" };
    expect((await asked).answer).toEqual({ kind: "v1", answer });
  });

  test.each<[string, { message: string; data?: unknown; error?: object }]>([
    ["an error frame", { message: "error", data: "Unknown error", error: {} }],
    ["JSON that is not an object", { message: "ChatGptResponse", data: "[1]" }],
    ["a content that is not a string", { message: "ChatGptResponse", data: '{"content":1}' }],
    ["data that is not a string", { message: "ChatGptResponse", data: { content: "x" } }],
    ["a frame without data", { message: "ChatGptResponse" }],
  ])("%s fails the ask, the error shows the frame, and the agent serves the next ask", async (_, frame) => {
    const { askWhole, ask, hello, say, last } = connect();
    hello();
    const asked = askWhole("q");
    const { id } = last();
    say({ id, ...frame });
    const data = typeof frame.data === "string" ? frame.data : "";
    await expect(asked).rejects.toMatchObject({
      code: "agent_answer_invalid",
      extra: { response: { id, message: frame.message, data } },
    });
    const next = ask("next");
    say({ id: last().id, message: "", data: '{"content":"fine"}' });
    expect(await next).toBe("fine");
  });

  test("a frame that is not JSON fails the running ask at once, before its time limit", async () => {
    const { ask, hello, say, relay } = connect();
    hello();
    const asked = ask("q");
    say("garbage");
    say("garbage");
    say("garbage");
    expect(await asked).toBe("agent_lost");
    expect(relay.stats()).toMatchObject({ slots_in_use: 0, frames_ignored: 3 });
  });

  test("a frame with an unknown id is ignored and counted", async () => {
    const { ask, hello, say, last, relay } = connect();
    hello();
    const asked = ask("q");
    const { id } = last();
    say({ id: "unknown", message: "ChatGptResponse", data: '{"content":"not yours"}' });
    expect(await peek(asked)).toBe("open");
    say({ id, message: "ChatGptResponse", data: '{"content":"yours"}' });
    expect(await asked).toBe("yours");
    expect(relay.stats().frames_ignored).toBe(1);
  });

  test("an agent that sends only unexpected frames is closed", () => {
    const { hello, say, closed, relay, clock } = connect();
    hello();
    for (let n = 0; n < 100; n++) say({ id: `${n}`, message: "", data: "" });
    expect(closed).toEqual([CLOSE.frames_bad]);
    expect(relay.stats().agents).toBe(0);
    expect(clock.pending()).toBe(0);
  });
});

describe("a ping", () => {
  test("a ping has a new id, and only a pong with this id counts", async () => {
    const { ask, hello, say, last, clock } = connect();
    hello();
    clock.advance(6_000);
    const asked = ask("q");
    const ping = last();
    expect(ping).toMatchObject({ message: "ping", data: "" });
    say({ id: "other", message: "pong", data: "" });
    expect(last()).toEqual(ping);
    say({ id: ping.id, message: "pong", data: "" });
    expect(last().message).toBe("ChatGptRequest");
    say({ id: last().id, message: "", data: '{"content":"yes"}' });
    expect(await asked).toBe("yes");
  });

  test("a missed pong closes the connection, and nothing that follows reopens it", async () => {
    const { ask, hello, say, last, clock, closed, connection } = connect();
    hello();
    clock.advance(6_000);
    const asked = ask("q");
    const ping = last();
    clock.advance(5_000);
    expect(closed).toEqual([CLOSE.pong_missed]);
    say({ id: ping.id, message: "pong", data: "" });
    connection.closed();
    clock.advance(10_000);
    await settle();
    expect(await asked).toBe("no_agent");
    expect(closed.length).toBe(1);
    expect(clock.pending()).toBe(0);
  });
});
