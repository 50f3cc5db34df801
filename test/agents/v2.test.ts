import { describe, expect, test } from "bun:test";
import { createResume } from "../../src/auth/resume.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { createRelayBench, peek, settle } from "../support/relay.ts";
import { connect, HELLO, RESUME, register } from "./v2-scene.ts";

describe("the hello", () => {
  test("the hello is answered with an identity, its secret and the server's limits", () => {
    const { last, relay } = register();
    const ready = last("ready");
    expect(ready).toMatchObject({ version: "9.9.9", limits: { frame_bytes: 1000, silence_ms: 60_000 } });
    expect(RESUME.matches(ready.agent, ready.resume, undefined)).toBe(true);
    expect([...relay.agents()].map(({ id }) => id)).toEqual([ready.agent]);
  });

  test.each<[unknown, string]>([
    ["hello", "not JSON, or nested too deeply"],
    ["[]", "expected an object, not a list"],
    [{}, "type: expected a text"],
    [{ type: "pong" }, "the first frame must be a hello"],
    [{ type: "accept" }, "the first frame must be a hello"],
    [{ ...HELLO, slots: 0 }, "slots: expected at least 1"],
    [{ ...HELLO, slots: 1025 }, "slots: expected at most 1024"],
    [{ ...HELLO, slots: "2" }, "slots: expected a number, not a text"],
    [{ ...HELLO, name: "" }, "name: expected at least 1 character"],
    [{ ...HELLO, models: [{}] }, "models[0].id: expected a text, but it is missing"],
    [{ ...HELLO, endpoints: undefined }, "endpoints: expected a list, but it is missing"],
  ])("the hello %j is refused, and the reason names the fault: %s", (frame, fault) => {
    const { say, closed, relay, clock } = connect();
    say(frame);
    expect(closed).toEqual([{ code: 4501, reason: `invalid hello: ${fault}` }]);
    expect([relay.stats().agents, clock.pending()]).toEqual([0, 0]);
  });

  test("an agent that offers an unknown endpoint is admitted with the known ones", () => {
    const { relay } = register(undefined, { ...HELLO, endpoints: ["chat/completions", "dreams"] });
    expect([...relay.agents()][0]?.offer.endpoints).toEqual(["chat/completions"]);
  });

  test("a hello that is late or sent twice closes the connection", () => {
    const late = connect();
    late.clock.advance(10_000);
    expect(late.closed).toEqual([CLOSE.hello_missing]);
    const twice = register();
    twice.say(HELLO);
    expect(twice.closed).toEqual([CLOSE.hello_repeated]);
    expect(twice.relay.stats().agents).toBe(0);
  });

  test("a hello with the secret takes the identity back, from any address, and the older connection is closed", () => {
    const bench = createRelayBench();
    const old = register(bench);
    const { agent, resume } = old.last("ready");
    const back = connect(bench, { address: "10.9.9.9" });
    back.say({ ...HELLO, agent, resume });
    expect(back.last("ready").agent).toBe(agent);
    expect([old.closed, back.closed]).toEqual([[CLOSE.replaced], []]);
    expect(bench.relay.stats().agents).toBe(1);
  });

  test("a hello with a wrong secret gets a new identity, and the other agent stays connected", () => {
    const bench = createRelayBench();
    const old = register(bench);
    const { agent } = old.last("ready");
    for (const resume of [
      "",
      "guess",
      RESUME.secretFor("another", undefined),
      RESUME.secretFor(agent, null),
    ]) {
      const thief = connect(bench);
      thief.say({ ...HELLO, agent, resume });
      expect(thief.last("ready").agent).not.toBe(agent);
    }
    expect(old.closed).toEqual([]);
  });

  test("the secret stays valid after a restart, until the agent key changes", () => {
    const secret = RESUME.secretFor("a", null);
    expect(createResume("agent key").matches("a", secret, null)).toBe(true);
    expect(createResume("another key").matches("a", secret, null)).toBe(false);
  });
});

describe("an ask", () => {
  test("an ask carries the endpoint, the unchanged body and the deadline", () => {
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

  test("an ask is answered by deltas and a done, which arrive unchanged", async () => {
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

  test("a failed ask says why, and when to retry", async () => {
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

  test("a failed ask without a reason says that the agent gave none", async () => {
    const { askWhole, last, say } = register();
    const asked = askWhole("q", { model: "m" });
    say({ type: "fail", ask: last("ask").ask, error: { message: "" }, retryable: false });
    await expect(asked).rejects.toMatchObject({ extra: { err: "it gave no reason" } });
  });

  test("a cancelled ask is cancelled at the agent, and any number of late frames for it is ignored", async () => {
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

describe("invalid and unexpected frames", () => {
  test("unknown types and fields are ignored", () => {
    const { say, closed, relay } = register();
    say({ type: "song", verse: 1 });
    say({ type: "pause", why: "lunch" });
    expect(closed).toEqual([]);
    expect(relay.stats().frames_ignored).toBe(1);
  });

  test.each<[unknown, string]>([
    ["}{", "not JSON, or nested too deeply"],
    ["7", "expected an object, not a number"],
    [{ type: "delta", ask: "x" }, "delta.data: expected a text, but it is missing"],
    [{ type: "done", ask: "x", status: 7 }, "done.status: expected at least 100"],
    [{ type: "delta", ask: "x", data: "", event: "a\nb" }, "delta.event: must not have a line break"],
    [{ type: "delta", ask: "x", data: "", event: "a\rb" }, "delta.event: must not have a line break"],
    [
      { type: "delta", ask: "x", data: "", event: "e".repeat(257) },
      "delta.event: expected at most 256 characters",
    ],
    [{ type: "update", slots: 0 }, "update.slots: expected at least 1"],
  ])(
    "the frame %j closes only its sender's connection, and the reason names the fault: %s",
    async (frame, fault) => {
      const bench = createRelayBench();
      const bad = register(bench);
      const asked = bench.ask("q", { model: "m" });
      const good = register(bench);
      bad.say(frame);
      expect([bad.closed, good.closed]).toEqual([[{ code: 4006, reason: `invalid frame: ${fault}` }], []]);
      good.say({ type: "done", ask: good.last("ask").ask, status: 200, body: "{}" });
      expect(await asked).toBe("200");
    },
  );

  test("an agent cannot answer the ask of another agent", async () => {
    const bench = createRelayBench();
    const [one, two] = [register(bench), register(bench)];
    const asked = bench.ask("q", { model: "m" });
    const owner = one.last("ask") ? one : two;
    const thief = owner === one ? two : one;
    thief.say({ type: "done", ask: owner.last("ask").ask, status: 200 });
    expect(await peek(asked)).toBe("open");
    owner.say({ type: "done", ask: owner.last("ask").ask, status: 200, body: "{}" });
    expect(await asked).toBe("200");
  });

  test("a thousand unexpected frames within ten seconds close the connection, fewer do not", () => {
    const flood = register();
    for (let n = 0; n < 1_000; n++) flood.say({ type: "accept", ask: `${n}` });
    expect(flood.closed).toEqual([CLOSE.frames_bad]);
    const trickle = register();
    for (let n = 0; n < 3_000; n++) {
      trickle.say({ type: "pong" });
      if (n % 500 === 0) trickle.clock.advance(10_001);
      if (trickle.closed.length > 0) break;
    }
    expect(trickle.closed).toEqual([]);
  });
});

test("an agent that answers pings while it is busy stays connected, and one that misses a pong is closed", async () => {
  const { ask, clock, last, say, closed } = register();
  void ask("q", { model: "m" });
  for (let second = 0; second < 33; second++) clock.advance(1_000);
  expect(last("ping")).toBeDefined();
  say({ type: "pong" });
  expect(closed).toEqual([]);
  for (let second = 0; second < 40; second++) clock.advance(1_000);
  await settle();
  expect(closed).toEqual([CLOSE.pong_missed]);
});
