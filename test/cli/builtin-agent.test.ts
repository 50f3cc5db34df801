import { describe, expect, test } from "bun:test";
import { type Executable, runExecutable, startExecutable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import { MAIN } from "./terminal.ts";

const ADMIN_KEY = "admin-key-0123456789";

async function start(args: readonly string[]): Promise<Executable> {
  const server = await startExecutable({ path: process.execPath, args: [MAIN, "0", ADMIN_KEY, ...args] });
  server.keepSecret(ADMIN_KEY);
  return server;
}

function ask({ url }: Executable, body: object) {
  const headers = { authorization: ADMIN_KEY };
  return fetch(`${url}/api/ask`, { method: "POST", headers, body: JSON.stringify(body) });
}

describe("a server with the built-in agent", () => {
  test("a server with --echo echoes, and its banner says so", async () => {
    const server = await start(["--echo"]);
    await server.output(/connected to this server, offering 1 model \(echo\), up to 8 requests at once/);
    expect(server.stderr()).toContain("Model      echo, which repeats each question\n");
    expect(await (await ask(server, { content: "Hello  there" })).json()).toMatchObject({
      content: "Hello  there",
    });
  });

  test("a server with --upstream finishes running requests before its agent stops", async () => {
    const upstream = await startFaultUpstream();
    const server = await start(["--upstream", upstream.url, "--host", "127.0.0.1", "--slots", "3"]);
    expect(server.stderr()).toContain(`Upstream   ${upstream.url}, up to 3 concurrent requests\n`);
    await server.output(/connected to/);
    await upstream.reset();
    const asked = ask(server, { content: "one two three four", model: "slow-words" });
    await upstream.openUntil(({ started }) => started === 1);
    server.kill();
    expect(await (await asked).json()).toMatchObject({ content: "one two three four" });
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.stderr()).not.toContain("reconnecting");
    expect(await upstream.open()).toMatchObject({ open: 0, aborted: 0 });
  });

  test("the built-in agent comes back after the administrator has disconnected it", async () => {
    const server = await start(["--echo"]);
    await server.output(/connected to/);
    const headers = { authorization: ADMIN_KEY };
    const ids = async () => {
      const response = await fetch(`${server.url}/admin/agents`, { headers });
      return ((await response.json()) as { agents: { id: string }[] }).agents.map(({ id }) => id);
    };
    const [id] = await ids();
    const path = `${server.url}/admin/agents/${id}/disconnect`;
    expect((await fetch(path, { method: "POST", headers })).status).toBe(200);
    await until(async () => (await ids()).some((other) => other !== id));
    expect(await (await ask(server, { content: "again" })).json()).toMatchObject({ content: "again" });
  });

  test("the built-in agent connects with an agent key that was set", async () => {
    const server = await start(["--echo", "--agent-key", "agent-key-0123"]);
    await server.output(/connected to/);
  });

  test("a server with two upstreams asks both, each by an agent of its own", async () => {
    const [first, second] = [await startFaultUpstream(), await startFaultUpstream()];
    const both = ["--upstream", first.url, "--upstream", second.url, "--slots", "1,2", "--name", "desk"];
    const server = await start([...both, "--model", "never", "--model", "echo"]);
    for (const { port } of [first, second])
      await server.output(
        new RegExp(`desk/127\\.0\\.0\\.1:${port}: connected to this server, offering 2 models`),
      );
    expect(server.stderr()).toContain(
      `Upstreams  ${first.url}, up to 1 concurrent requests\n             ${second.url}, up to 2 concurrent requests\n`,
    );
    const gone = new AbortController();
    const running = [1, 2, 3].map(() =>
      fetch(`${server.url}/api/ask`, {
        ...{ method: "POST", headers: { authorization: ADMIN_KEY }, signal: gone.signal },
        body: JSON.stringify({ content: "q", model: "never" }),
      }).catch(() => undefined),
    );
    await first.openUntil(({ open }) => open === 1);
    await second.openUntil(({ open }) => open === 2);
    gone.abort();
    await Promise.all(running);
    expect(await (await ask(server, { content: "and on", model: "echo" })).json()).toMatchObject({
      content: "and on",
    });
  });

  test("serve refuses its own address as an upstream", async () => {
    const args = [MAIN, "8123", ADMIN_KEY, "--upstream", "http://127.0.0.1:8123"];
    const { code, stderr } = await runExecutable(args, { path: process.execPath });
    expect(code).toBe(2);
    expect(stderr).toContain("--upstream names the server itself");
  });

  test("serve refuses an upstream beside the echo", async () => {
    const args = [MAIN, "0", ADMIN_KEY, "--echo", "--upstream", "http://127.0.0.1:1"];
    const { code, stderr } = await runExecutable(args, { path: process.execPath });
    expect(code).toBe(2);
    expect(stderr).toContain("--echo and --upstream exclude each other");
  });
});
