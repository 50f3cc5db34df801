import { describe, expect, test } from "bun:test";

import type { Fault } from "../support/outcome.ts";
import { openRawSocket } from "../support/raw-socket.ts";
import { type Scene, startScene, useScene } from "../support/scene.ts";

const CONVERT = "Failed to convert response to ChatGptResponse";
const READ = "Failed to read response from the client";

/** Connects an agent whose frames the test sends itself. */
async function rawAgent(scene: Scene) {
  const socket = await openRawSocket(`${scene.url}/client/register`);
  scene.after(socket.destroy);
  const { id } = JSON.parse((await socket.receive())?.text ?? "");
  socket.send(JSON.stringify({ id, message: "Connection id", data: "" }));
  const known = socket.ping();
  let next = socket.receive();
  await known;
  /** Returns the next frame. Reads on meanwhile, so that control frames are handled. */
  const receive = async () => {
    const message = await next;
    next = socket.receive();
    return JSON.parse(message?.text ?? "null");
  };
  /** Reads without answering, and resolves with how the connection ended. */
  const ignoreAll = async () => {
    while (await next) next = socket.receive();
    return socket.ended;
  };
  return { socket, id, receive, ignoreAll };
}

describe("agents that fail", () => {
  const scene = useScene(["--reconnect-grace", "200ms"]);

  const failing = (faults: Fault[]) => ({ answer: () => faults.shift() ?? {} });

  test("an ask moves to another agent, whatever the first one did instead of answering", async () => {
    for (const fault of ["drop", "error", "garbage", "mistyped", "unreadable", "list"] as const) {
      const good = await scene.python();
      const bad = await scene.firefox({ answer: () => fault });
      await scene.ask({ content: "uses the good one" });
      const { status, body } = await scene.ask({ content: fault });
      expect([fault, status, body.content]).toEqual([fault, 200, `echo: ${fault}`]);
      expect(bad.requests).toHaveLength(1);
      await scene.clear();
      expect(good.requests).toHaveLength(2);
    }
  });

  test("the error frame of the only agent is a 502 with the frame, and the agent serves the next ask", async () => {
    const agent = await scene.firefox(failing(["error"]));
    const { status, text } = await scene.ask({ content: "one" });
    expect(status).toBe(502);
    expect(JSON.parse(text)).toEqual({
      error: CONVERT,
      response: { id: agent.requests[0]?.id, message: "error", data: "Unknown error" },
    });
    expect(text).toStartWith(`{"error":"${CONVERT}","response":{"id":"`);
    for (const content of ["two", "three"]) {
      expect((await scene.ask({ content })).body.content).toBe(`echo: ${content}`);
    }
  });

  test("an answer of the only agent that is not a JSON object is a 502 with the frame, and the agent serves on", async () => {
    for (const [fault, data] of [
      ["unreadable", "no JSON"],
      ["list", "[]"],
    ] as const) {
      const agent = await scene.firefox(failing([fault]));
      const { status, body } = await scene.ask({ content: "one" });
      const response = { id: agent.requests[0]?.id, message: "ChatGptResponse", data };
      expect([status, body as object]).toEqual([502, { error: CONVERT, response }]);
      expect((await scene.ask({ content: "two" })).status).toBe(200);
      await scene.clear();
    }
  });

  test("an ask whose only agent leaves for good is a 502 with a fixed text", async () => {
    await scene.firefox({ answer: () => "drop" });
    const { status, text } = await scene.ask({ content: "hi" });
    const { err, ...rest } = JSON.parse(text);
    expect([status, rest]).toEqual([502, { error: READ }]);
    expect(err).toBeString();
    expect(err).not.toMatch(/127\.0\.0\.1|websocket:|:\d{4}/);
    expect(text).toStartWith('{"err":"');
  });

  test("an ask that the only agent dropped is answered when the agent is back within the grace period", async () => {
    const scene = await startScene({ flags: ["--reconnect-grace", "10m"] });
    const agent = await scene.firefox({ ...failing(["drop"]), reconnectMs: 20 });
    expect((await scene.ask({ content: "hi" })).body.content).toBe("echo: hi");
    expect(agent.requests).toHaveLength(2);
  });

  test("after every agent has failed once, the caller gets the error of the last one", async () => {
    const agents = [];
    for (let count = 0; count < 4; count++) agents.push(await scene.firefox({ answer: () => "error" }));
    const { status, body } = await scene.ask({ content: "hi" });
    expect([status, body.error]).toEqual([502, CONVERT]);
    expect(agents.map(({ requests }) => requests.length)).toEqual([1, 1, 1, 1]);
  });

  test("unsolicited frames are ignored before, during and after an ask", async () => {
    const { socket, receive } = await rawAgent(scene);
    const strange = [
      "no JSON",
      "[]",
      "{}",
      '{"id":7}',
      `{"id":"${crypto.randomUUID()}","message":"","data":"{}"}`,
    ];
    for (const frame of strange) socket.send(frame);
    const asked = scene.ask({ content: "hi" });
    const { id } = await receive();
    socket.send(`{"id":"${crypto.randomUUID()}","message":"","data":"{\\"content\\":\\"not yours\\"}"}`);
    const answer = JSON.stringify({ id, message: "", data: '{"content":"yours"}' });
    socket.send(answer);
    socket.send(answer);
    expect((await asked).body).toMatchObject({ content: "yours" });
    const again = scene.ask({ content: "again" });
    const request = await receive();
    socket.send(answer);
    socket.send(JSON.stringify({ id: request.id, message: "", data: '{"content":"new"}' }));
    expect((await again).body).toMatchObject({ content: "new" });
  });

  test("more than a hundred unsolicited frames in a row end their sender's connection", async () => {
    const { socket, ignoreAll } = await rawAgent(scene);
    const other = await scene.firefox();
    for (let count = 0; count < 200; count++) socket.send("no JSON");
    expect((await ignoreAll()).code).toBe(4003);
    expect((await scene.connections()).map(({ Id }) => Id)).toEqual([other.id]);
  });

  test("the slot of a caller who leaves is free only when the agent has answered, and the answer is dropped", async () => {
    const held = Promise.withResolvers<object>();
    const agent = await scene.firefox({ answer: ({ content }) => (content === "left" ? held.promise : {}) });
    const caller = new AbortController();
    const left = scene.ask({ content: "left" }, { signal: caller.signal });
    await agent.nextRequest();
    caller.abort();
    await left.catch(() => {});
    const next = scene.ask({ content: "next" });
    held.resolve({ content: "too late" });
    expect((await next).body.content).toBe("echo: next");
    expect(agent.requests.map(({ content }) => content)).toEqual(["left", "next"]);
  });
});

describe("agents that are silent", () => {
  const scene = useScene(["--first-byte", "3s", "--hello-within", "300ms"]);

  test("an agent that is silent to a request causes a 504 after the limit, and its late answer is dropped", async () => {
    const late = Promise.withResolvers<object>();
    const agent = await scene.firefox({ answer: ({ content }) => (content === "slow" ? late.promise : {}) });
    const { status, text } = await scene.ask({ content: "slow" });
    const { err, ...rest } = JSON.parse(text);
    expect([status, rest, typeof err]).toEqual([504, { error: READ }, "string"]);
    late.resolve({ content: "too late" });
    expect((await scene.ask({ content: "next" })).body.content).toBe("echo: next");
    expect(agent.requests).toHaveLength(2);
  });

  test("an agent that does not answer the hello has its socket closed", async () => {
    const socket = await openRawSocket(`${scene.url}/client/register`);
    await socket.receive();
    await socket.receive();
    expect((await socket.ended).code).toBe(4002);
  });
});

describe("agents that are silent", () => {
  const scene = useScene(["--ping-every", "200ms", "--pong-within", "2s"]);

  test("an idle agent that does not answer pings has its socket closed, so that it can reconnect", async () => {
    const { ignoreAll } = await rawAgent(scene);
    expect((await ignoreAll()).code).toBe(4001);
    expect(await scene.connections()).toEqual([]);
  });

  test("a busy agent that does not answer pings stays connected, and serves again", async () => {
    const held = Promise.withResolvers<object>();
    const agent = await scene.python({ answer: () => held.promise });
    const asked = scene.ask({ content: "long" });
    await agent.nextRequest();
    await Bun.sleep(3_000);
    held.resolve({});
    expect((await asked).body.content).toBe("echo: long");
    expect((await scene.ask({ content: "more" })).status).toBe(200);
    expect(agent.requests).toHaveLength(2);
  });

  test("an idle agent that answers its pings stays connected", async () => {
    const agent = await scene.python();
    while (agent.pings < 3) await agent.nextPing();
    expect((await scene.connections()).map(({ Id }) => Id)).toEqual([agent.id]);
  });
});

describe("an agent not heard for five seconds", () => {
  const scene = useScene(["--ping-every", "10m", "--pong-within", "2s", "--reconnect-grace", "200ms"]);

  test("an agent not heard for five seconds is pinged before an ask, and without a pong the ask moves to another agent", async () => {
    const silent = (await rawAgent(scene)).ignoreAll();
    const live = await scene.firefox();
    await Bun.sleep(5_100);
    expect((await scene.ask({ content: "hi" })).body.content).toBe("echo: hi");
    expect(live.pings).toBe(1);
    expect((await scene.ask({ content: "more" })).body.content).toBe("echo: more");
    const asked = live.requests.map(({ content }) => content);
    expect(asked).toEqual(["hi", "more"]);
    expect((await silent).code).toBe(4001);
  });

  test("asks fail with a clear error when the only agent misses the pong", async () => {
    const { socket, receive, ignoreAll } = await rawAgent(scene);
    const begun = scene.ask({ content: "begin" });
    const { id } = await receive();
    const data = JSON.stringify({ conversation_id: crypto.randomUUID(), content: "begun" });
    socket.send(JSON.stringify({ id, message: "", data }));
    const { conversation_id } = (await begun).body;
    const silent = ignoreAll();
    await Bun.sleep(5_100);
    const replies = await Promise.all([
      scene.ask({ content: "hi" }),
      scene.ask({ content: "go on", conversation_id }),
    ]);
    expect((await silent).code).toBe(4001);
    expect(replies.map(({ status, body }) => [status, body.error])).toEqual([
      [503, "No available clients"],
      [503, "Ping failed"],
    ]);
  });
});
