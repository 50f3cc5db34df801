import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { ADMIN_KEY, startTestServer, type TestServer } from "./support/server.ts";
import { tempFolder } from "./support/store.ts";
import { until } from "./support/until.ts";

/** Runs the agent from the protocol page in a process of its own, as a reader would. */
async function startExample(server: TestServer, ...args: string[]): Promise<void> {
  const docs = await Bun.file(new URL("../docs/agent-protocol.md", import.meta.url)).text();
  const [, source = ""] = docs.match(/```js\n([\s\S]+?)```/) ?? [];
  const path = join(tempFolder(), "agent.js");
  await Bun.write(path, source);
  const address = `${server.url.replace("http", "ws")}/client/register`;
  const agent = Bun.spawn([process.execPath, path, address, ...args], { stderr: "inherit" });
  onTestFinished(() => agent.kill());
  await untilConnected(server);
}

async function untilConnected(server: TestServer): Promise<void> {
  await until(async () => {
    const response = await fetch(`${server.url}/api/connections`, { headers: { authorization: ADMIN_KEY } });
    const { connections } = (await response.json()) as { connections: unknown[] };
    return connections.length > 0;
  });
}

async function ask(server: TestServer, body: object): Promise<string> {
  const response = await fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return response.text();
}

test("the agent on the protocol page answers, streams, continues a conversation and reconnects after a restart", async () => {
  const server = await startTestServer();
  await startExample(server, server.agentKey);
  const first = JSON.parse(await ask(server, { content: "hello there", model: "capitals" }));
  expect(first.content).toBe("HELLO THERE");
  const { conversation_id, response_id: parent_id } = first;
  const streamed = await ask(server, { content: "and  again", stream: true, conversation_id, parent_id });
  expect(streamed).toStartWith('data: {"delta":"AND  "}\n\ndata: {"delta":"AGAIN"}\n\n');
  expect(streamed).toEndWith("data: [DONE]\n\n");

  const port = Number(new URL(server.url).port);
  await server.stop();
  const restarted = await startTestServer([], { data: server.data, port });
  await untilConnected(restarted);
  const third = JSON.parse(await ask(restarted, { content: "still here", conversation_id }));
  expect(third.content).toBe("STILL HERE");
});
