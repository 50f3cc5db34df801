import { expect, onTestFinished, test } from "bun:test";
import { type AgentProcess, startAgentProcess } from "../support/agent-process.ts";
import { makeCertificate } from "../support/certificate.ts";
import { type Executable, startExecutable } from "../support/executable.ts";
import {
  freePort,
  OWN_ADDRESS,
  startPlainNginx,
  startSquid,
  startTinyproxy,
} from "../support/forward-proxies.ts";
import { testWith } from "../support/programs.ts";

/** Addresses of loopback are never reached through a proxy. */
const ADDRESS = OWN_ADDRESS ?? "127.0.0.1";
const PASSWORD = "s3cret-of-the-proxy";
const AUTH = { user: "agent", password: PASSWORD };

async function startServer(args: readonly string[] = []): Promise<Executable> {
  const adminKey = `admin-${crypto.randomUUID()}`;
  const server = await startExecutable({ args: ["0", adminKey, ...args] });
  onTestFinished(server.stop);
  return { ...server, adminKey };
}

/** Starts an agent that reaches the server by its outer address. */
const startAgent = ({ port, agentKey }: Executable, env: Record<string, string>, scheme = "http") =>
  startAgentProcess([`${scheme}://${ADDRESS}:${port}`, "--echo", "--log", "json"], {
    connects: false,
    env: { AGENT_KEY: agentKey, ...env },
  });

/** Resolves with what carries the messages of the agent, once it has answered a question. */
async function transportOf({ url, adminKey }: Executable, agent: AgentProcess): Promise<string | undefined> {
  await agent.output(/connected to/);
  const headers = { authorization: `Bearer ${adminKey}` };
  const messages = [{ role: "user", content: "one two" }];
  const body = JSON.stringify({ model: "echo", stream: true, messages });
  const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
  expect(await answer.text()).toEndWith("data: [DONE]\n\n");
  const list = (await (await fetch(`${url}/admin/agents`, { headers })).json()) as {
    agents: { transport: string }[];
  };
  return list.agents[0]?.transport;
}

testWith("tinyproxy", "an agent reaches the server through a proxy, with its WebSocket", async (path) => {
  const proxy = await startTinyproxy(path);
  const server = await startServer();
  const agent = await startAgent(server, { HTTP_PROXY: `http://${proxy}` });
  expect(await transportOf(server, agent)).toBe("websocket");
});

testWith("tinyproxy", "an agent sends the user and the password that the proxy wants", async (path) => {
  const proxy = await startTinyproxy(path, { auth: AUTH });
  const server = await startServer();
  const agent = await startAgent(server, { http_proxy: `http://agent:${PASSWORD}@${proxy}` });
  expect(await transportOf(server, agent)).toBe("websocket");
  expect(agent.stdout() + agent.stderr()).not.toContain(PASSWORD);
});

testWith(
  "tinyproxy",
  "an agent ends when the proxy refuses its password, which it does not tell",
  async (path) => {
    const proxy = await startTinyproxy(path, { auth: AUTH });
    const server = await startServer();
    const agent = await startAgent(server, {
      HTTP_PROXY: "",
      ALL_PROXY: `http://agent:wrong-${PASSWORD}@${proxy}`,
    });
    expect((await agent.exited).code).toBe(1);
    expect(agent.stderr()).toContain(`the proxy http://${proxy} refused: 40`);
    expect(agent.stderr()).toContain("check the user and the password in ALL_PROXY");
    expect(agent.stdout() + agent.stderr()).not.toContain(PASSWORD);
  },
);

testWith("tinyproxy", "an agent uses long-polling where the proxy refuses CONNECT", async (path) => {
  const proxy = await startTinyproxy(path, { onlyPort443: true });
  const server = await startServer();
  const agent = await startAgent(server, { HTTP_PROXY: `http://${proxy}` });
  await agent.output(/WebSockets do not get through, so the agent tries long-polling/);
  expect(await transportOf(server, agent)).toBe("long-polling");
});

testWith(
  "squid",
  "an agent uses long-polling through squid, which refuses CONNECT to other ports",
  async (path) => {
    const proxy = await startSquid(path);
    const server = await startServer();
    const agent = await startAgent(server, { HTTP_PROXY: `http://${proxy}` });
    expect(await transportOf(server, agent)).toBe("long-polling");
  },
);

testWith("squid", "an agent says when the proxy refuses a connection by TLS", async (path) => {
  const proxy = await startSquid(path);
  const server = await startServer();
  const agent = await startAgent(server, { HTTPS_PROXY: `http://${proxy}` }, "https");
  await agent.output(new RegExp(`the proxy http://${proxy} refused: 403 Forbidden; reconnecting`));
});

testWith(
  "tinyproxy",
  "an agent reaches a server with TLS through a proxy, and checks its certificate",
  async (path) => {
    const proxy = await startTinyproxy(path);
    const { cert, key, ca } = await makeCertificate(ADDRESS);
    const server = await startServer(["--tls-cert", cert, "--tls-key", key]);
    const env = { HTTPS_PROXY: `http://${proxy}` };
    const stranger = await startAgent(server, env, "https");
    await stranger.output(
      new RegExp(
        `TLS to the server through the proxy http://${proxy} failed \\(its certificate .*reconnecting`,
      ),
    );
    await stranger.stop();
    const agent = await startAgent(server, { ...env, NODE_EXTRA_CA_CERTS: ca }, "https");
    await agent.output(/connected to wss/);
  },
);

test("an agent names the proxy that cannot be reached, and tries again", async () => {
  const server = await startServer();
  const port = freePort();
  const agent = await startAgent(server, { HTTP_PROXY: `127.0.0.1:${port}` });
  await agent.output(
    new RegExp(
      `the proxy http://127.0.0.1:${port} cannot be reached \\(connection refused\\); check HTTP_PROXY, or name the server in NO_PROXY; reconnecting`,
    ),
  );
});

testWith("tinyproxy", "an agent says when the proxy cannot reach the server", async (path) => {
  const proxy = await startTinyproxy(path);
  const server = await startServer();
  await server.stop();
  const agent = await startAgent(server, { HTTP_PROXY: `http://${proxy}` });
  await agent.output(new RegExp(`the proxy http://${proxy} cannot reach the server \\(50`));
});

test("an agent connects without the proxy to a server that NO_PROXY names", async () => {
  const server = await startServer();
  const env = { HTTP_PROXY: `http://127.0.0.1:${freePort()}`, NO_PROXY: `other.example, ${ADDRESS}/32` };
  expect(await transportOf(server, await startAgent(server, env))).toBe("websocket");
});

testWith(
  "nginx",
  "an agent uses long-polling behind an nginx that passes no upgrades on and buffers",
  async (path) => {
    const server = await startServer();
    const port = await startPlainNginx(path, server.port);
    const agent = await startAgentProcess([`127.0.0.1:${port}`, "--echo"], {
      env: { AGENT_KEY: server.agentKey },
    });
    expect(await transportOf(server, agent)).toBe("long-polling");
  },
);
