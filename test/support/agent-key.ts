import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentKey } from "../../src/auth/agent-keys.ts";

/** Returns an agent key without preferences, unless `fields` says otherwise. */
export const agentKeyOf = (fields: Partial<AgentKey>): AgentKey => ({
  ...{ id: null, name: "main", models: null },
  ...{ priority: null, weight: null, tags: null, ownerId: null, showsName: false },
  ...fields,
});

/** The main agent keys of the servers that tests have started, by their ports. */
const KEYS = new Map<string, () => string | undefined>();

/** Lets the tests' agents find the key of a server. Returns a function that forgets it. */
export function keepAgentKey(url: string, key: () => string | undefined): () => void {
  const { port } = new URL(url);
  KEYS.set(port, key);
  return () => void KEYS.delete(port);
}

/** Returns the main agent key of the server that a test has started at this URL or `host:port`, if any. */
export function agentKeyAt(address: string): string | undefined {
  const [, port = ""] = /:(\d+)(?:\/|$)/.exec(address) ?? [];
  return KEYS.get(port)?.();
}

/** Returns the environment in which the command `agent` has the key of a server that a test has started. */
export function agentKeyEnv(address: string): { AGENT_KEY?: string } {
  const key = agentKeyAt(address);
  return key === undefined ? {} : { AGENT_KEY: key };
}

/**
 * Returns the headers that an agent of the tests sends: with the key of a server that a test has started, unless
 * the address has a key, the headers have one, or the agent is to have none.
 */
export function agentHeaders<Value = string>(
  address: string,
  headers: Record<string, Value> = {},
  key: string | null = agentKeyAt(address) ?? null,
): Record<string, Value | string> {
  const hasKey =
    /\/agents\//.test(address) || Object.keys(headers).some((name) => /^authorization$/i.test(name));
  return hasKey || key === null ? headers : { ...headers, Authorization: `Bearer ${key}` };
}

/** Returns the main agent key that a server has generated in this data folder. */
export function generatedKeyIn(data: string): string | undefined {
  const path = join(data, "agent.key");
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
