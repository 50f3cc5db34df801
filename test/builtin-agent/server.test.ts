import { describe, expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";
import { startTestBridge } from "./start.ts";

const upstream = shareFaultUpstream();

const hostOf = ({ url }: TestServer) => ({ host: new URL(url).host });

function ask({ url }: { url: string }, body: object, signal?: AbortSignal) {
  const headers = { authorization: ADMIN_KEY };
  return fetch(`${url}/api/ask`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}
const contentOf = async (response: Response) => ((await response.json()) as { content?: string }).content;

describe("with our own server", () => {
  test("an ask is answered word for word, whole and streamed", async () => {
    const server = await startTestServer();
    const bridge = startTestBridge(hostOf(server), { upstream: createEcho(), agentKey: server.agentKey });
    await until(() => bridge.told.length === 1);
    expect(await contentOf(await ask(server, { content: "one  two\nthree" }))).toBe("one  two\nthree");
    const streamed = await (await ask(server, { content: "one  two", stream: true })).text();
    expect(streamed).toContain('data: {"delta":"one  "}');
    expect(streamed).toEndWith("data: [DONE]\n\n");
  });

  test("a caller who hangs up has the upstream's request aborted", async () => {
    const server = await startTestServer();
    const bridge = startTestBridge(hostOf(server), { upstream: upstream().url });
    await until(() => bridge.told.length === 1);
    await upstream().reset();
    const caller = new AbortController();
    const asked = ask(server, { content: "q", model: "never" }, caller.signal).catch(() => "aborted");
    await upstream().openUntil(({ open }) => open === 1);
    caller.abort();
    expect(await asked).toBe("aborted");
    expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ aborted: 1 });
  });

  test("a restart lets what runs finish, and the agent comes back by itself", async () => {
    const first = await startTestServer();
    const port = Number(new URL(first.url).port);
    const bridge = startTestBridge(hostOf(first), { upstream: upstream().url, random: () => 0 });
    await until(() => bridge.told.length === 1);
    const asked = ask(first, { content: "one two three", model: "slow-words" });
    await upstream().openUntil(({ open }) => open === 1);
    await first.stop();
    expect(await contentOf(await asked)).toBe("one two three");
    const second = await startTestServer(["--reconnect-grace", "1m"], { port });
    await until(() => bridge.told.filter((line) => line.startsWith("connected")).length === 2);
    expect(await contentOf(await ask(second, { content: "again", model: "echo" }))).toBe("again");
  });

  test("as many asks as there can be slots run at once, and leave room for the rest", async () => {
    const server = await startTestServer();
    const slots = 240;
    const bridge = startTestBridge(hostOf(server), { upstream: upstream().url, slots });
    await until(() => bridge.told.length === 1);
    await upstream().reset();
    // From a process of its own, as the number of requests is bounded for each.
    const script = `for (let i = 0; i < ${slots}; i++) void fetch("${server.url}/api/ask", {
      method: "POST",
      headers: { authorization: "${ADMIN_KEY}" },
      body: JSON.stringify({ content: "q", model: "never" }),
    });`;
    const callers = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "ignore" });
    await upstream().openUntil(({ open }) => open === slots);
    callers.kill("SIGKILL");
    expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ aborted: slots });
  });

  test("the wrong agent key is the end, told with the server's hint", async () => {
    const server = await startTestServer();
    const bridge = startTestBridge(hostOf(server), { upstream: createEcho(), agentKey: "wrong-key-012345" });
    const error = await bridge.ended;
    expect(error?.message).toContain("refused (401): Use the agent address that the server prints");
    expect(error?.message).not.toContain("wrong-key");
  });
});
