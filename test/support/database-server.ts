import { type Executable, startExecutable } from "./executable.ts";
import { CLUSTER_KEY } from "./keys.ts";
import { tempFolder } from "./store.ts";

export const ADMIN_KEY = "admin-key-of-the-tests";
export const PASSWORD = "password-of-the-tests";

/** Returns the address with a password, which must not be in any output. */
export function withPassword(address: string, port?: number): string {
  const url = new URL(address);
  url.password = PASSWORD;
  if (port) url.port = String(port);
  return url.href;
}

/** An agent in the process that repeats what it is asked. Tests ask again and again with a key that is refused for a while. */
export const TEST_ARGS = ["--echo", "--key-failures-max", "100000"];

/** Makes sure that the secrets of a server on this database are in no output of it. */
export function keepSecrets(server: Executable, database: string): void {
  for (const secret of [PASSWORD, CLUSTER_KEY, database]) server.keepSecret(secret);
}

/** Starts the executable with its data in the database, and an agent in the process that repeats what it is asked. */
export async function startOnDatabase(database: string, args: readonly string[] = []): Promise<Executable> {
  const server = await startExecutable({
    args: ["0", ADMIN_KEY, ...TEST_ARGS, ...args],
    env: { CHATGPT_API_DATABASE: database, CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY },
    data: `${tempFolder()}/none`,
  });
  keepSecrets(server, database);
  return server;
}

/** Sends a request with this key, and resolves with what the server answered. */
export async function call(server: Executable, path: string, key: string, body?: object, method?: string) {
  const response = await fetch(server.url + path, {
    method: method ?? (body ? "POST" : "GET"),
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, string> };
}

export const addUser = async (server: Executable) =>
  (await call(server, "/admin/users/add", ADMIN_KEY, {})).body as { user_id: string; token: string };

/** Returns what the health check of a load balancer would see. */
export const readiness = async (server: Executable) => (await fetch(`${server.url}/ready`)).text();

export const READY = '{"status":"ready"}';
export const DEGRADED = '{"status":"ready","degraded":["store"]}';
