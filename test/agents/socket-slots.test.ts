import { expect, onTestFinished, test } from "bun:test";
import { openRawSocket } from "../support/raw-socket.ts";
import { startTestServer } from "../support/server.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const DEEP = "[".repeat(100_000) + "]".repeat(100_000);

test("a frame that is nested too deeply ends its sender's connection, whatever field it is in", async () => {
  const { url } = await startTestServer();
  const frames = [
    `{"type":"update","models":${DEEP}}`,
    JSON.stringify({ type: "delta", ask: "a", data: DEEP }),
    JSON.stringify({ type: "done", ask: "a", status: 200, body: DEEP }),
  ];
  const good = await connectV2Agent(url);
  onTestFinished(good.stop);
  for (const frame of frames) {
    const agent = await connectV2Agent(url);
    agent.say(frame);
    expect((await agent.ended).code).toBeGreaterThanOrEqual(4000);
  }
  const startedAt = performance.now();
  good.say({ type: "update", slots: 2 });
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});

test("an agent of version 1 whose hello is nested too deeply is not let in", async () => {
  const { url } = await startTestServer();
  const socket = await openRawSocket(`${url}/client/register`);
  const { id } = JSON.parse((await socket.receive())?.text ?? "{}");
  socket.send(`{"id":"${id}","data":${DEEP}}`);
  expect(await socket.receive()).toBeUndefined();
  expect((await socket.ended).code).toBeGreaterThanOrEqual(4000);
});
