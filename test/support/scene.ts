import { afterEach, beforeAll, onTestFinished } from "bun:test";
import type { V1Answer } from "../../src/protocol/agent-v1.ts";
import { type AgentOptions, firefoxAgent, pythonAgent, type TestAgent } from "./agents.ts";
import { type Executable, shareExecutable, startExecutable } from "./executable.ts";
import { untilWaiting } from "./queue.ts";

export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed text; undefined if that is not JSON. */
  body: Body;
}

export interface User {
  user_id: string;
  token: string;
}

interface ListedConnection {
  Ws: object;
  Id: string;
  Heartbeat: string;
  LastMessageTime: string;
}

interface AskOptions {
  /** The `Authorization` header; null sends none. Default: the admin key. */
  key?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * The executable as an operator runs it, with users and agents, which are stopped when the test ends. The
 * test fails if the output shows the admin key, a user's token, or the agent key.
 */
export interface Scene {
  readonly url: string;
  readonly adminKey: string;
  readonly agentKey: string;
  readonly server: Executable;
  request<Body = Record<string, unknown>>(path: string, init?: RequestInit): Promise<Reply<Body>>;
  /** Posts to `/api/ask`. A string is sent unchanged. */
  ask(body: string | object, options?: AskOptions): Promise<Reply<Partial<V1Answer>>>;
  addUser(): Promise<User>;
  connections(): Promise<ListedConnection[]>;
  /** Resolves once `count` asks wait for a slot. */
  untilWaiting(count: number): Promise<void>;
  firefox(options?: AgentOptions): Promise<TestAgent>;
  python(options?: AgentOptions): Promise<TestAgent>;
  /** Runs `clean` when the current test ends. */
  after(clean: () => unknown): void;
  /** Stops the agents of the current test. */
  clear(): Promise<void>;
}

interface SceneOptions {
  /** Flags after the port and the admin key. */
  flags?: readonly string[];
  /** The data folder and admin key of an earlier scene. */
  data?: string;
  adminKey?: string;
  /** Runs the server on a terminal, which shows the agent key. */
  onTerminal?: boolean;
}

/**
 * Starts one server for all tests of the calling file or `describe` block. Each test begins without agents.
 */
export function useScene(flags: readonly string[] = []): Scene {
  const adminKey = newAdminKey();
  const server = shareExecutable({ args: ["0", adminKey, ...flags] });
  const scene = createScene(server, adminKey);
  beforeAll(() => server().keepSecret(adminKey));
  afterEach(() => scene.clear());
  return scene;
}

/** Starts a server for the calling test. */
export async function startScene({
  flags = [],
  data,
  adminKey = newAdminKey(),
  onTerminal = false,
}: SceneOptions = {}): Promise<Scene> {
  const server = await startExecutable({
    args: ["0", adminKey, ...flags],
    onTerminal,
    ...(data !== undefined && { data }),
  });
  server.keepSecret(adminKey);
  const scene = createScene(() => server, adminKey, onTerminal);
  onTestFinished(() => scene.clear());
  return scene;
}

const newAdminKey = () => `admin-${crypto.randomUUID()}`;

function createScene(server: () => Executable, adminKey: string, onTerminal = false): Scene {
  let cleanings: (() => unknown)[] = [];

  const request: Scene["request"] = async (path, init) => {
    const response = await fetch(`${server().url}${path}`, { redirect: "manual", ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  };

  const keep = (agent: TestAgent) => {
    cleanings.push(() => agent.stop());
    return agent;
  };

  return {
    get url() {
      return server().url;
    },
    adminKey,
    get agentKey() {
      return server().agentKey;
    },
    get server() {
      return server();
    },
    request,
    ask(body, { key = adminKey, headers = {}, signal } = {}) {
      return request("/api/ask", {
        method: "POST",
        headers: { ...(key !== null && { authorization: key }), ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...(signal && { signal }),
      });
    },
    async addUser() {
      const { body } = await request<User>("/admin/users/add", {
        method: "POST",
        body: JSON.stringify({ admin_key: adminKey }),
      });
      server().keepSecret(body.token);
      return body;
    },
    async connections() {
      const init = { headers: { authorization: adminKey } };
      return (await request<{ connections: ListedConnection[] }>("/api/connections", init)).body.connections;
    },
    untilWaiting: (count) => untilWaiting(server().url, adminKey, count),
    firefox: async (options) => keep(await firefoxAgent(server().url, options)),
    python: async (options) => keep(await pythonAgent(server().url, options)),
    after: (clean) => cleanings.push(clean),
    async clear() {
      const all = cleanings;
      cleanings = [];
      await Promise.all(all.map((clean) => clean()));
      const { agentKey, stdout, stderr } = server();
      if (agentKey && !onTerminal && (stdout() + stderr()).includes(agentKey))
        throw new Error("The output shows the agent key.");
    },
  };
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
