import { describe, expect, onTestFinished, test } from "bun:test";
import { PRINTABLE } from "../../src/printable.ts";
import { chat, textOf } from "../builtin-agent/start.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { runExecutable } from "../support/executable.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import { MAIN } from "./terminal.ts";

interface AgentProcess {
  pid: number;
  stdout(): string;
  stderr(): string;
  kill(signal?: NodeJS.Signals): void;
  exited: Promise<number>;
}

/** Runs the command `agent` in a process of its own until the test ends. */
function startAgent(args: readonly string[], env: Record<string, string> = {}): AgentProcess {
  const child = Bun.spawn([process.execPath, MAIN, "agent", ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = ["", ""];
  const read = async (stream: ReadableStream<Uint8Array>, index: number) => {
    for await (const chunk of stream) texts[index] += new TextDecoder().decode(chunk);
  };
  const over = Promise.all([read(child.stdout, 0), read(child.stderr, 1), child.exited]);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await over;
  });
  return {
    pid: child.pid,
    stdout: () => texts[0] ?? "",
    stderr: () => texts[1] ?? "",
    kill: (signal = "SIGTERM") => child.kill(signal),
    exited: over.then(([, , code]) => code),
  };
}

describe("agent", () => {
  test("agent connects an upstream to a server as the flags say", async () => {
    const upstream = await startFaultUpstream();
    const server = startAgentServer();
    const keys = { AGENT_KEY: "agent-key-0123", UPSTREAM_KEY: "upstream-key-0123" };
    const args = [
      "--upstream",
      upstream.url,
      "--model",
      "echo",
      "--model",
      "broken",
      "--slots",
      "2",
      "--name",
      "desk",
      ...["--priority", "-5", "--weight", "2.5", "--tag", "home", "--tag", "gpu"],
    ];
    const agent = startAgent([server.host, ...args, "--endpoint", "chat/completions"], keys);
    const connection = await server.next();
    expect(connection.headers.get("authorization")).toBe("Bearer agent-key-0123");
    expect(connection.hello).toMatchObject({
      name: "desk",
      slots: 2,
      ...{ priority: -5, weight: 2.5, tags: ["home", "gpu"] },
      endpoints: ["chat/completions"],
      models: [{ id: "echo" }, { id: "broken" }],
    });
    connection.ask({ ask: "1", body: chat("echo", "through a process") });
    expect(textOf(await connection.answer("1"))).toBe("through a process");
    agent.kill();
    expect(await agent.exited).toBe(0);
    expect(agent.stderr()).toBe(
      `chatgpt-api-server: connected to ws://${server.host}, offering 2 models (echo, broken), up to 2 requests at once\n`,
    );
    expect(agent.stdout() + agent.stderr()).not.toMatch(/-key-0123|through a process/);
    for (const line of agent.stdout().trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("event");
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "at %s agent finishes running requests and exits with code 0",
    async (signal) => {
      const upstream = await startFaultUpstream();
      const server = startAgentServer();
      const agent = startAgent([server.host, "--upstream", upstream.url]);
      const connection = await server.next();
      connection.ask({ ask: "1", body: chat("slow-words", "one two three", { delay_ms: 80 }) });
      await connection.frame("delta");
      agent.kill(signal);
      await connection.frame("pause");
      expect(textOf(await connection.answer("1"))).toBe("one two three");
      expect(await connection.closed).toMatchObject({ code: 1000 });
      expect(await agent.exited).toBe(0);
    },
  );

  test("a second signal ends agent at once", async () => {
    const upstream = await startFaultUpstream();
    const server = startAgentServer();
    const agent = startAgent([server.host, "--upstream", upstream.url]);
    const connection = await server.next();
    connection.ask({ ask: "1", body: chat("never", "q") });
    await upstream.openUntil(({ open }) => open === 1);
    agent.kill();
    await connection.frame("pause");
    agent.kill("SIGINT");
    expect(await agent.exited).toBe(1);
    await upstream.openUntil(({ open }) => open === 0);
  });

  test("agent --echo needs no upstream, and takes the host's name by default", async () => {
    const server = startAgentServer();
    startAgent([`http://${server.host}/agents/key-in-path`, "--echo"]);
    const connection = await server.next();
    expect(connection.hello).toMatchObject({ models: [{ id: "echo" }], slots: 8 });
    expect(connection.hello.name.length).toBeGreaterThan(0);
    expect(connection.headers.get("authorization")).toBe("Bearer key-in-path");
  });

  test("agent shows what a hostile server says on one line, without controlling the terminal", async () => {
    const server = startAgentServer();
    const hint = "\x1b]0;pwned\x07no\r\nchatgpt-api-server: connected to the real server\u202egnp";
    server.refuseWith(() => Response.json({ hint }, { status: 401 }));
    const agent = startAgent([server.host, "--echo"]);
    expect(await agent.exited).toBe(1);
    const shown = String.raw`\u001b]0;pwned\u0007no\u000d\u000achatgpt-api-server: connected to the real server\u202egnp`;
    expect(agent.stderr()).toBe(`chatgpt-api-server: ws://${server.host}: refused (401): ${shown}\n`);
    for (const line of agent.stdout().split("\n")) expect(line).toMatch(PRINTABLE);
  });

  test("agent reports in one line why a server refused it, and exits with code 1", async () => {
    const server = startAgentServer();
    server.refuseWith(() =>
      Response.json({ error: "Invalid agent key", hint: "Use another." }, { status: 401 }),
    );
    const agent = startAgent([server.host, "--echo"]);
    expect(await agent.exited).toBe(1);
    expect(agent.stderr()).toBe(`chatgpt-api-server: ws://${server.host}: refused (401): Use another.\n`);
  });
});

describe("faults", () => {
  test.each<[string[], number, RegExp]>([
    [[], 2, /Give one argument: the address that the server prints/],
    [["a", "b"], 2, /Give one argument/],
    [["ftp://a"], 2, /Give the server's address/],
    [["a", "--echo", "--upstream", "http://b"], 2, /exclude each other/],
    [["a", "--endpoint", "images", "--echo"], 2, /--endpoint is not valid\. Give one of: chat\/completions/],
    [["localhost:9", "--upstream", "http://127.0.0.1:9/v1"], 2, /--upstream names the server itself/],
    [["a", "--config", "/nowhere/agent.toml"], 2, /\/nowhere\/agent\.toml cannot be read/],
    [["a", "--session", "x"], 2, /Unknown flag --session\./],
  ])("agent refuses the arguments %j", async (args, code, text) => {
    const ended = await runExecutable([MAIN, "agent", ...args], { path: process.execPath });
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toMatch(text);
  });
});
