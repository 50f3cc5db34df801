import { describe, expect, test } from "bun:test";
import { openAgent } from "../../src/agents/v2.ts";
import { createResume } from "../../src/auth/resume.ts";
import type { ServerFrame } from "../../src/protocol/agent-v2.ts";
import type { CloseReason } from "../../src/protocol/close.ts";
import { createRelayBench, peek, settle } from "../support/relay.ts";

const HELLO = {
  type: "hello",
  name: "box",
  version: "1",
  slots: 2,
  models: [{ id: "m" }],
  endpoints: ["chat/completions"],
};
const RESUME = createResume("agent key");

type Frame<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

function connect(bench = createRelayBench(), { address = "10.0.0.1" } = {}) {
  const sent: ServerFrame[] = [];
  const closed: CloseReason[] = [];
  const session = openAgent({
    socket: {
      sendText: (text) => {
        sent.push(JSON.parse(text));
        return "sent";
      },
      close: (reason) => closed.push(reason),
    },
    address,
    trusted: false,
    clock: bench.clock,
    newId: () => crypto.randomUUID(),
    helloWithinMs: 10_000,
    join: bench.relay.join.bind(bench.relay),
    version: "9.9.9",
    frameBytesMax: 1000,
    resume: RESUME,
  });
  const say = (frame: unknown) => session.frame(typeof frame === "string" ? frame : JSON.stringify(frame));
  const last = <Type extends ServerFrame["type"]>(type: Type) =>
    sent.findLast((frame): frame is Frame<Type> => frame.type === type) as Frame<Type>;
  return { ...bench, session, sent, closed, say, last };
}

function register(bench?: ReturnType<typeof createRelayBench>, hello: object = HELLO) {
  const agent = connect(bench);
  agent.say(hello);
  return agent;
}

describe("hello", () => {
  test("is answered with an identity, its secret, and the server's limits", () => {
    const { last, relay } = register();
    const ready = last("ready");
    expect(ready).toMatchObject({ version: "9.9.9", limits: { frame_bytes: 1000 } });
    expect(RESUME.matches(ready.agent, ready.resume)).toBe(true);
    expect([...relay.agents()].map(({ id }) => id)).toEqual([ready.agent]);
  });

  test.each<[string, unknown]>([
    ["no JSON", "hello"],
    ["no object", "[]"],
    ["another frame first", { type: "pong" }],
    ["no slots", { ...HELLO, slots: 0 }],
    ["more slots than anybody has", { ...HELLO, slots: 1025 }],
    ["slots that are no number", { ...HELLO, slots: "2" }],
    ["no name", { ...HELLO, name: "" }],
    ["a model without an id", { ...HELLO, models: [{}] }],
  ])("that is none closes the socket: %s", (_, frame) => {
    const { say, closed, relay, clock } = connect();
    say(frame);
    expect(closed).toEqual(["hello_invalid"]);
    expect([relay.stats().agents, clock.pending()]).toEqual([0, 0]);
  });

  test("an endpoint of a newer agent is no reason to turn it away", () => {
    const { relay } = register(undefined, { ...HELLO, endpoints: ["chat/completions", "dreams"] });
    expect([...relay.agents()][0]?.offer.endpoints).toEqual(["chat/completions"]);
  });

  test("must come in time and only once", () => {
    const late = connect();
    late.clock.advance(10_000);
    expect(late.closed).toEqual(["hello_missing"]);
    const twice = register();
    twice.say(HELLO);
    expect(twice.closed).toEqual(["hello_repeated"]);
    expect(twice.relay.stats().agents).toBe(0);
  });

  test("with the secret takes the identity back, from anywhere, and the older connection is closed", () => {
    const bench = createRelayBench();
    const old = register(bench);
    const { agent, resume } = old.last("ready");
    const back = connect(bench, { address: "10.9.9.9" });
    back.say({ ...HELLO, agent, resume });
    expect(back.last("ready").agent).toBe(agent);
    expect([old.closed, back.closed]).toEqual([["replaced"], []]);
    expect(bench.relay.stats().agents).toBe(1);
  });

  test("with a wrong secret gives a new identity and leaves the other alone", () => {
    const bench = createRelayBench();
    const old = register(bench);
    const { agent } = old.last("ready");
    for (const resume of ["", "guess", RESUME.secretFor("another")]) {
      const thief = connect(bench);
      thief.say({ ...HELLO, agent, resume });
      expect(thief.last("ready").agent).not.toBe(agent);
    }
    expect(old.closed).toEqual([]);
  });

  test("a secret outlives the server but not its agent key", () => {
    const secret = RESUME.secretFor("a");
    expect(createResume("agent key").matches("a", secret)).toBe(true);
    expect(createResume("another key").matches("a", secret)).toBe(false);
  });
});

describe("an ask", () => {
  test("carries the endpoint, the body letter for letter, and how long somebody waits", () => {
    const { ask, last } = register();
    void ask('{"a": 1.0}', { model: "m" });
    const { ask: id, ...frame } = last("ask");
    expect(frame).toEqual({
      type: "ask",
      endpoint: "chat/completions",
      stream: true,
      body: '{"a": 1.0}',
      deadline_ms: 120_000,
    });
    expect(id).not.toBe("");
  });

  test("is answered by deltas and a done, each letter as it came", async () => {
    const { askWhole, last, say } = register();
    const heard: unknown[] = [];
    const asked = askWhole("q", { model: "m", onDelta: (delta) => heard.push(delta) });
    const { ask } = last("ask");
    say({ type: "accept", ask });
    say({ type: "delta", ask, data: '{"x":1.0}\n ', event: "e" });
    say({ type: "delta", ask, data: "[DONE]" });
    say({ type: "done", ask, status: 200, usage: { prompt_tokens: 1, completion_tokens: 2 } });
    expect(heard).toMatchObject([{ data: '{"x":1.0}\n ', event: "e" }, { data: "[DONE]" }]);
    expect((await asked).answer).toEqual({
      kind: "model",
      status: 200,
      body: undefined,
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    });
  });

  test("that failed tells why, and when to come back", async () => {
    const { askWhole, last, say } = register();
    const asked = askWhole("q", { model: "m" });
    const error = { message: "overloaded", type: "rate_limit_error", code: null };
    say({ type: "fail", ask: last("ask").ask, status: 429, error, retryable: true, retry_after_ms: 2000 });
    await expect(asked).rejects.toMatchObject({
      code: "agent_failed",
      retryAfterMs: 2000,
      extra: { err: "overloaded" },
      upstream: { status: 429, type: "rate_limit_error" },
    });
  });

  test("that is cancelled is told so, and what is late for it harms nobody, however much", async () => {
    const { ask, last, say, closed, relay } = register();
    const caller = new AbortController();
    void ask("q", { model: "m", signal: caller.signal });
    const id = last("ask").ask;
    caller.abort();
    expect(last("cancel").ask).toBe(id);
    for (let n = 0; n < 5_000; n++) say({ type: "delta", ask: id, data: "late" });
    expect(closed).toEqual([]);
    expect(relay.stats()).toMatchObject({ slots_in_use: 0, frames_ignored: 5_000 });
  });
});

describe("frames that should not be", () => {
  test("unknown types and keys are ignored", () => {
    const { say, closed, relay } = register();
    say({ type: "song", verse: 1 });
    say({ type: "pause", why: "lunch" });
    expect(closed).toEqual([]);
    expect(relay.stats().frames_ignored).toBe(1);
  });

  test.each<[string, unknown]>([
    ["text that is no JSON", "}{"],
    ["a value without a type", "7"],
    ["a delta without data", { type: "delta", ask: "x" }],
    ["a done with a status that is none", { type: "done", ask: "x", status: 7 }],
    ["an update to no slots", { type: "update", slots: 0 }],
  ])("a malformed one closes the socket of its sender only: %s", async (_, frame) => {
    const bench = createRelayBench();
    const bad = register(bench);
    const asked = bench.ask("q", { model: "m" });
    const good = register(bench);
    bad.say(frame);
    expect([bad.closed, good.closed]).toEqual([["frame_invalid"], []]);
    good.say({ type: "done", ask: good.last("ask").ask, status: 200 });
    expect(await asked).toBe("200");
  });

  test("an agent cannot answer what another one was asked", async () => {
    const bench = createRelayBench();
    const [one, two] = [register(bench), register(bench)];
    const asked = bench.ask("q", { model: "m" });
    const owner = one.last("ask") ? one : two;
    const thief = owner === one ? two : one;
    thief.say({ type: "done", ask: owner.last("ask").ask, status: 200 });
    expect(await peek(asked)).toBe("open");
    owner.say({ type: "done", ask: owner.last("ask").ask, status: 200 });
    expect(await asked).toBe("200");
  });

  test("a flood of what nobody asked for closes the socket, a trickle does not", () => {
    const flood = register();
    for (let n = 0; n < 1_000; n++) flood.say({ type: "accept", ask: `${n}` });
    expect(flood.closed).toEqual(["frames_bad"]);
    const trickle = register();
    for (let n = 0; n < 3_000; n++) {
      trickle.say({ type: "pong" });
      if (n % 500 === 0) trickle.clock.advance(10_001);
      if (trickle.closed.length > 0) break;
    }
    expect(trickle.closed).toEqual([]);
  });
});

test("a ping is answered by a pong, also while busy; without one the socket is closed", async () => {
  const { ask, clock, last, say, closed } = register();
  void ask("q", { model: "m" });
  for (let second = 0; second < 33; second++) clock.advance(1_000);
  expect(last("ping")).toBeDefined();
  say({ type: "pong" });
  expect(closed).toEqual([]);
  for (let second = 0; second < 40; second++) clock.advance(1_000);
  await settle();
  expect(closed).toEqual(["pong_missed"]);
});
