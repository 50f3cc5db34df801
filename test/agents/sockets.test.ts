import { expect, onTestFinished, test } from "bun:test";
import { openRawSocket } from "../support/raw-socket.ts";
import { startTestServer } from "../support/server.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const DEEP = "[".repeat(100_000) + "]".repeat(100_000);

test("a frame that is nested too deeply closes its sender's connection, whichever field is nested", async () => {
  const { url } = await startTestServer();
  const frames = [`{"type":"update","models":${DEEP}}`, `{"type":"delta","ask":"a","data":${DEEP}}`];
  const good = await connectV2Agent(url);
  onTestFinished(good.stop);
  for (const frame of frames) {
    const agent = await connectV2Agent(url);
    agent.say(frame);
    expect((await agent.ended).code).toBe(4006);
  }
  good.say({ type: "update", slots: 2 });
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test("a v1 agent whose hello is nested too deeply is not registered", async () => {
  const { url } = await startTestServer();
  const socket = await openRawSocket(`${url}/client/register`);
  const { id } = JSON.parse((await socket.receive())?.text ?? "{}");
  socket.send(`{"id":"${id}","data":${DEEP}}`);
  expect(await socket.receive()).toBeUndefined();
  expect(await socket.ended).toEqual({ code: 4501, reason: "the hello must carry a UUID as id" });
});

test("a v2 agent with an invalid hello gets the name of the invalid field, not the rule of v1", async () => {
  const { url } = await startTestServer();
  const hello = { type: "hello", name: "box", version: "1", slots: 0, models: [], endpoints: [] };
  const socket = await openRawSocket(`${url}/client/register`, {
    headers: { "Sec-WebSocket-Protocol": "chatgpt-agent.v2" },
  });
  socket.send(JSON.stringify(hello));
  expect(await socket.receive()).toBeUndefined();
  expect(await socket.ended).toEqual({
    code: 4501,
    reason: "invalid hello: slots: expected at least 1",
  });
});
