import { onTestFinished } from "bun:test";
import { ADMIN_KEY, startTestServer, type TestServer } from "./server.ts";
import { connectV2Agent, type V2Agent, type V2AgentOptions } from "./v2-agent.ts";

/** A server with one v2 agent, for the OpenAI-style routes. */
export interface ModelScene {
  server: TestServer;
  agent: V2Agent;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(path: string): Promise<Response>;
}

export async function startModelScene(
  options: V2AgentOptions = {},
  flags: readonly string[] = [],
  place: Parameters<typeof startTestServer>[1] = {},
): Promise<ModelScene> {
  const server = await startTestServer(flags, place);
  const agent = await connectV2Agent(server.url, options);
  onTestFinished(agent.stop);
  return { server, agent, ...requestsOf(server) };
}

export function requestsOf(server: TestServer): Pick<ModelScene, "post" | "get"> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  return {
    post: (path, body, init) =>
      fetch(`${server.url}/v1/${path}`, {
        method: "POST",
        headers,
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
      }),
    get: (path) => fetch(`${server.url}/v1/${path}`, { headers }),
  };
}

/** Returns the blocks of a stream in order, without the empty lines between them. */
export async function blocksOf(response: Response): Promise<string[]> {
  return (await response.text()).split("\n\n").filter(Boolean);
}
