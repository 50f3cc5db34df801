import type { AgentKind } from "./processes/agents-protocol.ts";
import type { Target, Workshop } from "./workshop.ts";

/** A number of agents that are alike. */
export interface Crowd extends AgentKind {
  count: number;
  /** The number of addresses of the server that they use. Each has room for about 28,000. Default: 1. */
  addresses?: number;
  /** The name by which they can be told to do something. */
  group?: string;
}

/** A v1 agent takes one ask at a time: there are more agents than callers. */
export const V1_AGENTS: Crowd = { protocol: "v1", count: 160 };
export const V2_AGENTS: Crowd = { protocol: "v2", count: 16, slots: 16 };

/** Agents as a server has them: of both protocols, with few and many slots, some with other models only. */
export const MIXED_AGENTS: readonly Crowd[] = [
  { protocol: "v1", count: 40 },
  { protocol: "v2", count: 12, slots: 4 },
  { protocol: "v2", count: 2, slots: 32 },
];

export async function connectAgents(
  { agents }: Workshop,
  { port }: Target,
  { count, addresses = 1, group = "", ...kind }: Crowd,
): Promise<void> {
  const hosts = Array.from({ length: addresses }, (_, index) => `ws://127.0.0.${index + 1}:${port}`);
  await agents.carryOut({ do: "connect", addresses: hosts, count, group, ...kind });
}

/** Adds a user as an operator does, and resolves with their token. */
export async function addUser({ port, adminKey }: Target): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/admin/users/add`, {
    method: "POST",
    body: JSON.stringify({ admin_key: adminKey }),
  });
  if (!response.ok) throw new Error(`A user could not be added: ${response.status}`);
  return ((await response.json()) as { token: string }).token;
}

/** More users change nothing: the scenario `tokens` measures that. */
const USERS = 16;

/** Adds users. Resolves with a function that returns a caller's token, so that callers are different users. */
export async function addUsers(target: Target): Promise<(caller: number) => string> {
  const tokens: string[] = [];
  for (let user = 0; user < USERS; user++) tokens.push(await addUser(target));
  return (caller) => tokens[caller % USERS] ?? "";
}

/** Stands for a token where none is checked. */
export const anyToken = (): string => "any";
