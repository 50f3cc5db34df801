import type { Target, Workshop } from "./workshop.ts";

interface AgentsOptions {
  protocol: "v1" | "v2";
  count: number;
  slots?: number;
  addresses?: number;
}

/** A v1 agent takes one ask at a time: there are more agents than callers. */
export const V1_AGENTS: AgentsOptions = { protocol: "v1", count: 160 };
export const V2_AGENTS: AgentsOptions = { protocol: "v2", count: 16, slots: 16 };

export async function connectAgents(
  { agents }: Workshop,
  { port }: Target,
  { protocol, count, slots = 1, addresses = 1 }: AgentsOptions,
): Promise<void> {
  const hosts = Array.from({ length: addresses }, (_, index) => `ws://127.0.0.${index + 1}:${port}`);
  await agents.carryOut({ do: "connect", protocol, addresses: hosts, count, slots });
}

/** Starts the bare relay and our server, with the same agents. */
export async function startBoth(
  workshop: Workshop,
  options: AgentsOptions,
): Promise<{ bare: Target; ours: Target }> {
  const bare = await workshop.startBare();
  const ours = await workshop.startOurs();
  for (const target of [bare, ours]) await connectAgents(workshop, target, options);
  return { bare, ours };
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
