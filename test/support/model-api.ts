import { afterAll, beforeAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentKeyEnv } from "./agent-key.ts";
import { EXECUTABLE, type Executable, shareExecutable } from "./executable.ts";
import { HANG_MS } from "./until.ts";

/** The settings of a client of an OpenAI-style API. */
export interface ApiAddress {
  /** Ends with `/v1`. */
  baseURL: string;
  apiKey: string;
}

/** The executable with its agent processes, as a caller with a token of their own sees them. */
export interface ModelApi extends ApiAddress {
  /** The base address, without `/v1`. */
  url: string;
  server: Executable;
  adminKey: string;
}

interface ModelApiOptions {
  /** The arguments of `chatgpt-api-server agent` after the server's address, for each agent. */
  agents?: () => readonly (readonly string[])[];
  /** Flags after the port and the admin key. */
  flags?: readonly string[];
}

/** Starts one server with its agents for all tests of the calling file or `describe` block. */
export function shareModelApi({ agents = () => [], flags = [] }: ModelApiOptions): () => ModelApi {
  const adminKey = `admin-${crypto.randomUUID()}`;
  // Tests make the models fail again and again, which is not to take the only agent out.
  const server = shareExecutable({ args: ["0", adminKey, "--agent-failures-max", "0", ...flags] });
  let api: ModelApi | undefined;
  let stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const { url, keepSecret } = server();
    keepSecret(adminKey);
    stops = await Promise.all(agents().map((args) => launchAgent(url, args)));
    const added = await fetch(`${url}/admin/users/add`, {
      method: "POST",
      body: JSON.stringify({ admin_key: adminKey }),
    });
    const { token } = (await added.json()) as { token: string };
    keepSecret(token);
    api = { url, baseURL: `${url}/v1`, apiKey: token, server: server(), adminKey };
  });
  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
  });
  return () => {
    if (api === undefined) throw new Error("the server runs only during the tests");
    return api;
  };
}

/** Resolves, once the agent has registered, with a function that stops it. */
async function launchAgent(url: string, args: readonly string[]): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-agent-test-"));
  const child = Bun.spawn([EXECUTABLE, "agent", url, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...agentKeyEnv(url) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let output = "";
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr) output += decoder.decode(bytes, { stream: true });
  };
  const reading = read();
  const stop = async () => {
    child.kill("SIGKILL");
    await Promise.all([child.exited, reading]);
    rmSync(folder, { recursive: true, force: true });
  };
  const limit = performance.now() + HANG_MS;
  while (!output.includes("connected to")) {
    if (child.exitCode !== null || performance.now() > limit) {
      await stop();
      throw new Error(`the agent did not connect:\n${output}`);
    }
    await Bun.sleep(5);
  }
  return stop;
}
