import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { showToast } from "../../components/toast.tsx";

/** Says that the agent is an older version of this program than its server. Empty for any other agent. */
export function OldVersionBadge({ agent: { version, newer_version: newer } }: { agent: Agent }) {
  if (typeof newer !== "string") return null;
  return <Badge tone="warn">{`old: ${version}, server has ${newer}`}</Badge>;
}

/** Asks the agent to update itself. Empty if its owner does not allow that. */
export function UpdateAgentButton({ agent: { id, name, can_update } }: { agent: Agent }) {
  if (!can_update) return null;
  const update = async () => {
    await api.updateAgent(id);
    showToast(`${name} was asked to update itself. It connects again when that is done.`);
  };
  return <Button onClick={update}>Update</Button>;
}
