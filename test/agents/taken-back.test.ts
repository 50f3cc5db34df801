import { expect, test } from "bun:test";
import { principalOf } from "../../src/principal.ts";
import type { ModelRequest } from "../../src/relay/types.ts";
import { createRelayBench } from "../support/relay.ts";
import { register } from "./v2-scene.ts";

const REFUSAL = JSON.stringify({
  error: { message: "Unsupported parameter: 'stream_options'", param: "stream_options" },
});
const USER = JSON.stringify({ detail: [{ loc: ["body", "user"], msg: "Extra inputs are not permitted" }] });

const REQUEST: ModelRequest = {
  endpoint: "chat/completions",
  stream: true,
  added: ["stream_options", "user"],
  body: (_, refused) =>
    ["stream_options", "user", "own"].filter((name) => !refused.has(name as never)).join(),
};

function scene(request = REQUEST) {
  const bench = createRelayBench();
  const agent = register(bench, {
    type: "hello",
    name: "b",
    version: "1",
    slots: 4,
    models: [{ id: "m" }, { id: "n" }],
    endpoints: ["chat/completions"],
  });
  const caller = new AbortController();
  const start = (model = "m") => {
    const asked = bench.relay.ask(
      {
        principal: principalOf("u"),
        origin: { requestId: "r", surface: "test" },
        work: { model, requests: [request] },
      },
      caller.signal,
    );
    asked.catch(() => {});
    return asked;
  };
  const asks = () => agent.sent.flatMap((frame) => (frame.type === "ask" ? [frame] : []));
  const refuse = (body = REFUSAL, ask = agent.last("ask").ask) =>
    agent.say({ type: "done", ask, status: 400, body });
  const succeed = (ask = agent.last("ask").ask) => agent.say({ type: "done", ask, status: 200, body: "{}" });
  return { ...agent, ...bench, start, asks, refuse, succeed, hangUp: () => caller.abort() };
}

test("an ask is sent once more without the field that the upstream refuses, under a new id", async () => {
  const { start, asks, refuse, succeed } = scene();
  const asked = start();
  refuse();
  const [first, second, ...more] = asks();
  expect([first?.body, second?.body, more.length]).toEqual(["stream_options,user,own", "user,own", 0]);
  expect(second?.ask).not.toBe(first?.ask);
  expect(second).toMatchObject({
    endpoint: "chat/completions",
    stream: true,
    deadline_ms: first?.deadline_ms,
  });
  succeed();
  expect(await asked).toMatchObject({ answer: { status: 200 } });
});

test("the refusal is remembered for the model, and forgotten after an hour", async () => {
  const { start, asks, refuse, succeed, clock } = scene();
  const bodies = () =>
    asks()
      .slice(2)
      .map(({ body }) => body);
  void start();
  refuse();
  succeed();
  void start();
  succeed();
  void start("n");
  succeed();
  expect(bodies()).toEqual(["user,own", "stream_options,user,own"]);
  clock.advance(3_600_000);
  void start();
  expect(bodies().at(-1)).toBe("stream_options,user,own");
});

test("asks that run at the same time each take the field back", async () => {
  const { start, asks, refuse, succeed } = scene();
  const both = [start(), start()];
  const [one = "", two = ""] = asks().map(({ ask }) => ask);
  refuse(REFUSAL, one);
  const [, , again = ""] = asks().map(({ ask }) => ask);
  succeed(again);
  refuse(REFUSAL, two);
  succeed();
  expect((await Promise.all(both)).map(({ answer }) => "status" in answer && answer.status)).toEqual([
    200, 200,
  ]);
});

test("two fields are taken back one after the other, and then the refusal counts", async () => {
  const { start, asks, refuse } = scene();
  const asked = start();
  refuse();
  refuse(USER);
  expect(asks().map(({ body }) => body)).toEqual(["stream_options,user,own", "user,own", "own"]);
  refuse();
  expect(asks()).toHaveLength(3);
  expect(await asked).toMatchObject({ answer: { status: 400, body: REFUSAL } });
});

test("a refusal that stays is not remembered", async () => {
  const { start, asks, refuse } = scene();
  void start();
  refuse();
  refuse("{}");
  void start();
  expect(asks().at(-1)?.body).toBe("stream_options,user,own");
});

test("the server forgets the refusal when the upstream refuses the request without the field", async () => {
  const { start, asks, refuse, succeed } = scene();
  void start();
  refuse();
  succeed();
  void start();
  refuse("{}");
  void start();
  expect(asks().at(-1)?.body).toBe("stream_options,user,own");
});

test.each<[string, object]>([
  [
    "a failure with status 422",
    { type: "fail", status: 422, retryable: false, body: REFUSAL, error: { message: "no" } },
  ],
  [
    "a failure in words only",
    { type: "fail", retryable: false, error: { message: "stream_options is not permitted" } },
  ],
  [
    "an error with status 200",
    {
      type: "done",
      status: 200,
      body: JSON.stringify({ error: { message: "unknown field stream_options", code: 400 } }),
    },
  ],
])("%s is a refusal too", async (_, frame) => {
  const { start, asks, say, last } = scene();
  void start();
  say({ ...frame, ask: last("ask").ask });
  expect(asks().map(({ body }) => body)).toEqual(["stream_options,user,own", "user,own"]);
});

test("a field of the caller's own, another status, and an answer that has begun are passed on at once", async () => {
  const { added: _, ...bare } = REQUEST;
  const own = scene(bare);
  const asked = own.start();
  own.refuse();
  expect(await asked).toMatchObject({ answer: { status: 400, body: REFUSAL } });

  const other = scene();
  const failed = other.start();
  other.say({ type: "done", ask: other.last("ask").ask, status: 404, body: REFUSAL });
  expect(await failed).toMatchObject({ answer: { status: 404 } });

  const begun = scene();
  const broken = begun.start();
  begun.say({ type: "delta", ask: begun.last("ask").ask, data: "{}" });
  begun.refuse();
  expect(await broken.catch((error) => error)).toMatchObject({
    code: "agent_failed",
    upstream: { status: 400, body: REFUSAL },
  });
  expect([own, other, begun].map(({ asks }) => asks().length)).toEqual([1, 1, 1]);
});

test("a caller who hangs up cancels the ask under its new id", async () => {
  const { start, refuse, last, hangUp, say, closed } = scene();
  void start();
  refuse();
  const { ask } = last("ask");
  hangUp();
  expect(last("cancel").ask).toBe(ask);
  say({ type: "done", ask, status: 200, body: "{}" });
  expect(closed).toEqual([]);
});

test("a stream that begins with a refusal is asked for again, and the rest of it is ignored", async () => {
  const { start, asks, say, last, succeed, closed } = scene();
  const asked = start();
  const { ask } = last("ask");
  const error = { message: "Unsupported parameter: 'stream_options'", param: "stream_options", code: 400 };
  say({ type: "delta", ask, data: JSON.stringify({ error }) });
  expect(last("cancel").ask).toBe(ask);
  say({ type: "delta", ask, data: "[DONE]" });
  say({ type: "done", ask, status: 200 });
  expect(asks().map(({ body }) => body)).toEqual(["stream_options,user,own", "user,own"]);
  succeed();
  expect(await asked).toMatchObject({ answer: { status: 200, body: "{}" } });
  expect(closed).toEqual([]);
});

test("an upstream may refuse all added fields, one after the other, and the ask is sent once more for each", async () => {
  const added = ["stream_options", "parallel_tool_calls", "reasoning_effort", "verbosity", "user"] as const;
  const body: ModelRequest["body"] = (_, refused) => added.filter((name) => !refused.has(name)).join();
  const { start, asks, refuse, succeed } = scene({ ...REQUEST, added, body });
  const asked = start();
  for (const name of added) refuse(JSON.stringify({ error: `json: unknown field "${name}"` }));
  succeed();
  expect((await asked).answer).toMatchObject({ status: 200 });
  expect(asks().map((ask) => ask.body)).toEqual(added.map((_, at) => added.slice(at).join()).concat(""));
  void start();
  expect(asks().at(-1)?.body).toBe("");
});

/** A request that another node made: only that node can make other bodies. */
function remoteRequest(own: Partial<ModelRequest> = {}) {
  const asked: { refused: string[]; take: (body: string | undefined) => void }[] = [];
  const request: ModelRequest = {
    ...REQUEST,
    body: () => "whole",
    bodyWithout: (refused, take) => void asked.push({ refused: [...refused], take }),
    ...own,
  };
  return { request, asked };
}

test("the body of another node's request is asked for, and the ask then sent once more", async () => {
  const { request, asked } = remoteRequest();
  const { start, asks, refuse, succeed } = scene(request);
  const result = start();
  refuse();
  expect([asks().length, asked.map(({ refused }) => refused)]).toEqual([1, [["stream_options"]]]);
  refuse(REFUSAL, asks()[0]?.ask);
  asked[0]?.take("less");
  expect(asks().map(({ body }) => body)).toEqual(["whole", "less"]);
  succeed();
  expect(await result).toMatchObject({ answer: { status: 200 } });
});

test("a refusal reaches the caller if the other node has no other body", async () => {
  const { request, asked } = remoteRequest();
  const { start, asks, refuse } = scene(request);
  const result = start();
  refuse();
  asked[0]?.take(undefined);
  expect(await result).toMatchObject({ answer: { status: 400, body: REFUSAL } });
  expect(asks()).toHaveLength(1);
});

test("a body that comes after its ask was cancelled is not sent", async () => {
  const { request, asked } = remoteRequest();
  const { start, asks, refuse, hangUp } = scene(request);
  void start();
  refuse();
  hangUp();
  asked[0]?.take("less");
  expect(asks()).toHaveLength(1);
});

test("a field that is known to be refused is taken back before another node's request is sent", () => {
  const { request, asked } = remoteRequest();
  const { start, asks, refuse, succeed } = scene(request);
  void start();
  refuse();
  asked[0]?.take("less");
  succeed();
  void start();
  expect([asks().length, asked[1]?.refused]).toEqual([2, ["stream_options"]]);
  asked[1]?.take("less");
  expect(asks()[2]?.body).toBe("less");
});

test("another node's request that lacks what is refused is sent at once", () => {
  const { request, asked } = remoteRequest({ without: new Set(["stream_options", "user"]) });
  const { start, asks } = scene(request);
  void start();
  expect([asks().map(({ body }) => body), asked.length]).toEqual([["whole"], 0]);
});
