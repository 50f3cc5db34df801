import type { AgentKey, Pairing } from "../../../api/types.ts";

/** The state of a pairing code. */
export type PairingState =
  | { state: "open" }
  /** An agent has exchanged it for the key of this name. */
  | { state: "paired"; keyName: string }
  /** It has expired or was revoked, or its key was. */
  | { state: "gone" };

interface Lists {
  pairings(): Promise<readonly Pick<Pairing, "id">[]>;
  agentKeys(): Promise<readonly Pick<AgentKey, "id" | "name" | "revoked_at">[]>;
}

/** Looks up what has become of the code with the id. Its key has the same id. */
export async function findPairingState(id: string, lists: Lists): Promise<PairingState> {
  // In this order: a code that is exchanged in between is found as a key.
  const open = await lists.pairings();
  if (open.some((pairing) => pairing.id === id)) return { state: "open" };
  const keys = await lists.agentKeys();
  const key = keys.find((key) => key.id === id && key.revoked_at === null);
  return key ? { state: "paired", keyName: key.name } : { state: "gone" };
}
