import { ADMIN_KEY, startTestServer, type TestServer } from "../support/server.ts";
import { connectV2Agent, type V2AgentOptions } from "../support/v2-agent.ts";

export const HEADERS = { authorization: ADMIN_KEY };

interface ListedAgent {
  id: string;
  key: string | null;
  models: string[];
  slots: number;
  priority: number;
  weight: number;
  tags: string[];
}

interface ListedKey {
  id: string;
  name: string;
  models: string[] | null;
  created_at: string;
  revoked_at: string | null;
}

function admin(server: TestServer) {
  const call = async <Body = unknown>(method: string, path: string, body?: object) => {
    const init = { method, headers: HEADERS, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`${server.url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Body };
  };
  return {
    call,
    addKey: async (name: string, models?: string[]) =>
      (await call<ListedKey & { key: string }>("POST", "/admin/agents/keys", { name, models })).body,
    keys: async () => (await call<{ keys: ListedKey[] }>("GET", "/admin/agents/keys")).body.keys,
    revoke: (id: string) => call("DELETE", `/admin/agents/keys/${id}`),
    agents: async () => (await call<{ agents: ListedAgent[] }>("GET", "/admin/agents")).body.agents,
    models: async () =>
      (await call<{ data: { id: string }[] }>("GET", "/v1/models")).body.data.map(({ id }) => id),
  };
}

/** A server with an agent key, where agents of this machine need none, and what the tests do with both. */
export async function startWithKey(models?: string[]) {
  const server = await startTestServer(["--agents", "local"]);
  const { addKey, ...rest } = admin(server);
  const key = await addKey("gpu box", models);
  const connect = (options: V2AgentOptions = {}) => connectV2Agent(server.url, { key: key.key, ...options });
  return { server, key, addKey, connect, ...rest };
}

/** Asks the server for a chat completion. */
export const chat = (server: TestServer, model: string, signal?: AbortSignal) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    ...(signal && { signal }),
  });

export const ANSWER = { status: 200, body: '{"object":"chat.completion","choices":[]}' };
