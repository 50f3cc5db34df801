import { describe, expect, test } from "bun:test";
import { CLOSE } from "../../src/protocol/close.ts";
import { peek } from "../support/relay.ts";
import { register } from "./v2-scene.ts";

describe("the usage of an answer", () => {
  test.each([
    [{ prompt_tokens: 100_000_001, completion_tokens: 2 }],
    [{ prompt_tokens: 9_007_199_254_740_991, completion_tokens: 0 }],
    [{ prompt_tokens: 1e300, completion_tokens: 2 }],
    [{ prompt_tokens: 1, completion_tokens: -2 }],
    [{ prompt_tokens: 1.5, completion_tokens: 2 }],
    [{ prompt_tokens: "1", completion_tokens: 2 }],
    [{ prompt_tokens: 1 }],
    ["many"],
    [null],
  ])("an answer with the usage %j counts as one without usage", async (usage) => {
    const { askWhole, last, say, closed } = register();
    const asked = askWhole("q", { model: "m" });
    say({ type: "done", ask: last("ask").ask, status: 200, body: "{}", usage });
    expect((await asked).answer).toMatchObject({ kind: "model", status: 200, usage: undefined });
    expect(closed).toEqual([]);
  });

  test("an answer may use 100 million tokens", async () => {
    const { askWhole, last, say } = register();
    const asked = askWhole("q", { model: "m" });
    const usage = { prompt_tokens: 100_000_000, completion_tokens: 100_000_000 };
    say({ type: "done", ask: last("ask").ask, status: 200, body: "{}", usage });
    expect((await asked).answer).toMatchObject({ usage });
  });
});

describe("an answer that is nested too deeply fails alone, and the agent's other asks go on", () => {
  const deep = "[".repeat(257) + "]".repeat(257);

  test("in a whole answer, be it an error", async () => {
    const { ask, last, say, closed } = register();
    const other = ask("q", { model: "m" });
    const { ask: otherId } = last("ask");
    for (const status of [200, 400]) {
      const asked = ask("q", { model: "m" });
      say({ type: "done", ask: last("ask").ask, status, body: deep });
      expect(await asked).toBe("agent_answer_invalid");
    }
    say({ type: "done", ask: otherId, status: 200, body: "{}" });
    expect(await other).toBe("200");
    expect(closed).toEqual([]);
  });

  test("in an event, after which the agent is told to cancel", async () => {
    const { ask, last, say, closed, relay } = register();
    const asked = ask("q", { model: "m" });
    const { ask: id } = last("ask");
    say({ type: "delta", ask: id, data: "{}" });
    say({ type: "delta", ask: id, data: deep });
    expect(await asked).toBe("agent_answer_invalid");
    expect(last("cancel").ask).toBe(id);
    for (let n = 0; n < 2_000; n++) say({ type: "delta", ask: id, data: "late" });
    expect(closed).toEqual([]);
    expect(relay.stats().slots_in_use).toBe(0);
  });
});

test("an ask whose upstream is alive may take longer than the time limit for its first byte", async () => {
  const { ask, last, say, pass, closed } = register();
  const asked = ask("q", { model: "m" });
  const { ask: id } = last("ask");
  for (let second = 0; second < 300; second++) {
    await pass(1_000);
    say({ type: "pong" });
    say({ type: "alive", ask: id });
  }
  expect(await peek(asked)).toBe("open");
  say({ type: "done", ask: id, status: 200, body: "{}" });
  expect(await asked).toBe("200");
  expect(closed).toEqual([]);
});

describe("the status of an answer", () => {
  test.each([100, 101, 103, 199, 204, 205, 300, 301, 304, 307, 399, 407])(
    "an answer or a failure with the status %d is invalid, and the connection stays",
    async (status) => {
      const { askWhole, last, say, closed } = register();
      const done = askWhole("q", { model: "m" });
      say({ type: "done", ask: last("ask").ask, status, body: "{}" });
      await expect(done).rejects.toMatchObject({ code: "agent_answer_invalid", upstream: undefined });
      const failed = askWhole("q", { model: "m" });
      const error = { message: "no" };
      say({ type: "fail", ask: last("ask").ask, status, error, retryable: false, body: "{}" });
      await expect(failed).rejects.toMatchObject({ code: "agent_answer_invalid", upstream: undefined });
      expect(closed).toEqual([]);
    },
  );

  test.each([200, 201, 203, 206, 299, 400, 404, 422, 499])(
    "an answer with the status %d is passed on",
    async (status) => {
      const { ask, last, say } = register();
      const asked = ask("q", { model: "m" });
      say({ type: "done", ask: last("ask").ask, status, body: "{}" });
      expect(await asked).toBe(`${status}`);
    },
  );
});

describe("frames outside of an ask", () => {
  test.each([
    [{ type: "pause" }],
    [{ type: "update" }],
    [{ type: "update", slots: 3 }],
    [{ type: "update", models: [{ id: "other" }] }],
  ])("a thousand frames %j within ten seconds close the connection, fewer do not", (frame) => {
    const { say, closed, clock } = register();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 999; n++) say(frame);
      clock.advance(10_001);
    }
    expect(closed.length).toBe(0);
    for (let n = 0; n < 1_000; n++) say(frame);
    expect(closed).toEqual([CLOSE.frames_bad]);
  });
});

test("an ask of a megabyte is announced, as it takes long on a slow line, and a small one is not", () => {
  const { ask, sent } = register();
  void ask("small", { model: "m" }).catch(() => {});
  void ask("x".repeat(1024 * 1024), { model: "m" }).catch(() => {});
  const [first, announced, large] = sent.filter(({ type }) => type !== "ready");
  expect([first?.type, announced, large?.type]).toEqual([
    "ask",
    { type: "announce", bytes: 1024 * 1024 },
    "ask",
  ]);
});

test("an agent whose pong waits behind a large ask is not closed before that ask can have arrived", async () => {
  const { ask, say, pass, closed } = register();
  void ask("x".repeat(2 * 1024 * 1024), { model: "m" }).catch(() => {});
  await pass(60_000);
  expect(closed).toEqual([]);
  say({ type: "pong" });
  await pass(60_000);
  expect(closed.map(({ code }) => code)).toEqual([4001]);
});

test("announcements of answers are not counted as frames outside of an ask, and others are", async () => {
  const { ask, say, last, closed } = register();
  const asked = ask("q", { model: "m" });
  for (let frame = 0; frame < 2_000; frame++) say({ type: "announce", bytes: 200_000 });
  expect(closed).toEqual([]);
  say({ type: "done", ask: last("ask").ask, status: 200, body: "{}" });
  expect(await asked).toBe("200");
  for (let frame = 0; frame < 1_000; frame++) say({ type: "announce", bytes: 200_000 });
  expect(closed.map(({ code }) => code)).toEqual([4003]);
});
