import { describe, expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";
import { startBuiltinAgent } from "./start.ts";

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

describe("with the server", () => {
  test("a request is answered word for word, whole and streamed", async () => {
    const server = await startTestServer();
    const builtin = startBuiltinAgent(hostOf(server), { upstream: createEcho(), agentKey: server.agentKey });
    await until(() => builtin.printed.length === 1);
    expect(await contentOf(await ask(server, { content: "one  two\nthree" }))).toBe("one  two\nthree");
    const streamed = await (await ask(server, { content: "one  two", stream: true })).text();
    expect(streamed).toContain('data: {"delta":"one  "}');
    expect(streamed).toEndWith("data: [DONE]\n\n");
  });

  test("when a caller hangs up, the upstream's request is aborted", async () => {
    const server = await startTestServer();
    const builtin = startBuiltinAgent(hostOf(server), { upstream: upstream().url });
    await until(() => builtin.printed.length === 1);
    await upstream().reset();
    const caller = new AbortController();
    const asked = ask(server, { content: "q", model: "never" }, caller.signal).catch(() => "aborted");
    await upstream().openUntil(({ open }) => open === 1);
    caller.abort();
    expect(await asked).toBe("aborted");
    expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ aborted: 1 });
  });

  test("a server that stops lets requests finish, and the agent reconnects after the restart", async () => {
    const first = await startTestServer();
    const port = Number(new URL(first.url).port);
    const builtin = startBuiltinAgent(hostOf(first), { upstream: upstream().url, random: () => 0 });
    await until(() => builtin.printed.length === 1);
    await upstream().reset();
    const asked = ask(first, { content: "one two three", model: "slow-words" });
    await upstream().openUntil(({ started }) => started === 1);
    await first.stop();
    expect(await contentOf(await asked)).toBe("one two three");
    const second = await startTestServer(["--reconnect-grace", "1m"], { data: first.data, port });
    await until(() => builtin.printed.filter((line) => line.startsWith("connected")).length === 2);
    expect(await contentOf(await ask(second, { content: "again", model: "echo" }))).toBe("again");
  });

  test("as many requests as the agent can have slots run at once", async () => {
    const server = await startTestServer();
    const slots = 240;
    const builtin = startBuiltinAgent(hostOf(server), { upstream: upstream().url, slots });
    await until(() => builtin.printed.length === 1);
    await upstream().reset();
    // In another process, as each process may have only so many requests open.
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

  test("a wrong agent key ends the agent, with the server's hint", async () => {
    const server = await startTestServer();
    const builtin = startBuiltinAgent(hostOf(server), {
      upstream: createEcho(),
      agentKey: "wrong-key-012345",
    });
    const error = await builtin.ended;
    expect(error?.message).toContain("refused (401): The agent key is wrong. Pair the agent");
    expect(error?.message).not.toContain("wrong-key");
  });
});
