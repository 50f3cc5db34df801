import { type Executable, startExecutable } from "./executable.ts";
import { tempFolder } from "./store.ts";

export const CLUSTER_KEY = "cluster-key-of-the-tests-0123456789";
export const ADMIN_KEY = "admin-key-of-the-tests";
export const PASSWORD = "password-of-the-tests";

/** Returns the address with a password, which must not be in any output. */
export function withPassword(address: string, port?: number): string {
  const url = new URL(address);
  url.password = PASSWORD;
  if (port) url.port = String(port);
  return url.href;
}

/** Starts the executable with its data in the database, and an agent in the process that repeats what it is asked. */
export async function startOnDatabase(database: string, args: readonly string[] = []): Promise<Executable> {
  const server = await startExecutable({
    // Tests ask again and again with a key that is refused for a while.
    args: ["0", ADMIN_KEY, "--echo", "--key-failures-max", "100000", ...args],
    env: { CHATGPT_API_DATABASE: database, CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY },
    data: `${tempFolder()}/none`,
  });
  for (const secret of [PASSWORD, CLUSTER_KEY, database]) server.keepSecret(secret);
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
