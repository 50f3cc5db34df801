import type { AgentKey } from "../auth/agent-keys.ts";
import type { Claim } from "../protocol/agent-v2.ts";
import { DEFAULT_PREFERENCE, type Preference } from "../relay/types.ts";

/** A key, as far as it decides how its agents are chosen. */
type Key = Pick<AgentKey, "id" | "priority" | "weight" | "tags" | "ownerId">;

/**
 * Returns how an agent is chosen, from what it claims and what its key says. The numbers of the key come first. A
 * claimed tag counts only if the key allows it, and without a key none does: tags keep requests away from agents
 * that are not trusted.
 */
export function preferenceOf(claim: Claim, key: Key | undefined): Preference {
  return {
    priority: key?.priority ?? claim.priority ?? DEFAULT_PREFERENCE.priority,
    weight: key?.weight ?? claim.weight ?? DEFAULT_PREFERENCE.weight,
    tags: key ? tagsOf([...new Set(claim.tags)], key) : [],
    ownerId: key?.ownerId ?? undefined,
  };
}

/** The main key allows every tag. An agent that claims none has all tags of its key. */
function tagsOf(claimed: readonly string[], { id, tags }: Key): readonly string[] {
  if (id === null) return claimed;
  const allowed = tags ?? [];
  return claimed.length === 0 ? allowed : claimed.filter((tag) => allowed.includes(tag));
}
